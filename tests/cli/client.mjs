// A voice agent in a few lines of JavaScript: Node's own WebSocket and fetch, no packages.
import { readFileSync } from "node:fs";

const ready = JSON.parse(readFileSync(process.argv[2], "utf8"));
const voices = await (await fetch(`${ready.url}/voices`)).json();
const told = { providers: Object.keys(voices).sort(), texts: [], bytes: 0 };
const socket = new WebSocket(ready.ws_url);
socket.binaryType = "arraybuffer";
const send = (frame) => socket.send(JSON.stringify(frame));

socket.onopen = () => send({
  type: "config",
  stt_config: { provider: "deepgram", language: "en-US", sample_rate: 16000, channels: 1, punctuation: true, encoding: "linear16", model: "nova-3" },
  tts_config: { provider: "deepgram", model: "aura-asteria-en", sample_rate: 16000 },
});
socket.onmessage = ({ data }) => {
  if (typeof data !== "string") {
    told.bytes += data.byteLength;
    return;
  }
  const frame = JSON.parse(data);
  told.texts.push(frame.type);
  if (frame.type === "ready") send({ type: "speak", text: "Grüezi from Node" });
  if (frame.type === "tts_playback_complete") socket.send("not JSON");
  if (frame.type === "error") socket.close();
};
socket.onclose = () => console.log(JSON.stringify(told));
