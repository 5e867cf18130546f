// The QR code of a card leads here with the code behind the number sign, which browsers
// send to nobody. It goes into the field, and out of the address and its history.
const form = document.querySelector("form[data-card-code]");
const field = form?.querySelector("#code");
const code = location.hash.slice(1);

if (field instanceof HTMLInputElement && code && !field.value) {
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search);
  form.querySelector("button").focus();
}
