// A button with data-save-png="ID" saves the drawing of that element as a PNG, which more
// programs can show than an SVG.
for (const button of document.querySelectorAll("[data-save-png]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const picture = document.getElementById(button.dataset.savePng);
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = picture.getAttribute("width");
    canvas.height = picture.getAttribute("height");
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = "wordkeep.png";
      link.click();
      URL.revokeObjectURL(link.href);
    });
  });
}
