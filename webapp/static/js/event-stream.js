// Reads server-sent events from the answer to a request of our own. EventSource can only
// GET, and it reconnects on its own, which would send the message twice.

/**
 * @typedef {{name: string, data: any}} StreamEvent
 */

/**
 * Yield the events of a response, in order. Comments (heartbeats) are skipped.
 * @param {Response} response
 * @returns {AsyncGenerator<StreamEvent>}
 */
export async function* readEvents(response) {
  const reader = response.body.getReader();
  // Not a TextDecoderStream, which some browsers in use lack.
  const decoder = new TextDecoder();
  let waiting = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    waiting += decoder.decode(value, { stream: true });
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event) yield event;
    }
  }
}

/**
 * @param {string} block
 * @returns {StreamEvent | null}
 */
export function parseBlock(block) {
  let name = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) name = line.slice(6).trim();
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return data.length ? { name, data: JSON.parse(data.join("\n")) } : null;
}
