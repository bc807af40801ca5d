/** An order's events as the BFF streams them. The browser's EventSource is not used: it can't send tokens. */

import { Failure, pause, request, untilVisible } from "./api.js";

/** The statuses of refusals that asking again can't change. */
export const FINAL_STATUSES = [400, 401, 403, 404];
const RECONNECT_PAUSE = 1000; // ms

/** The complete events in a stream's text so far, and the incomplete rest, which belongs before the text to come. */
export function splitEvents(text) {
  const blocks = text.split("\n\n");
  const rest = blocks.pop();
  return [blocks.map(parseEvent).filter((event) => "data" in event), rest];
}

function parseEvent(block) {
  const fields = block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2));
  const event = Object.fromEntries(fields);
  return "data" in event ? { ...event, data: JSON.parse(event.data) } : event;
}

/** Gives `onEvent` each of an order's events once, as name and data, until the last one. Connections that end are made
    again, from the latest event on. `onFailure` gets the failure, or null when it goes on. Returns true after the last
    event; false if `signal` aborts it, or if the BFF refuses in a way that asking again can't change. */
export async function follow(orden, onEvent, onFailure, signal) {
  let latest = "";
  while (!signal.aborted) {
    let retryAfter = RECONNECT_PAUSE;
    try {
      await untilVisible();
      const headers = latest ? { "Last-Event-ID": latest } : {};
      const response = await request(`/orders/${orden}/events`, { headers, signal });
      if (response.status === 204) return true;
      onFailure(null);
      for await (const event of readEvents(response)) {
        latest = event.id;
        onEvent(event.event, event.data);
        if (event.event === "orden") return true;
      }
    } catch (failure) {
      if (signal.aborted) return false;
      if (!(failure instanceof Failure)) throw failure;
      onFailure(failure);
      if (FINAL_STATUSES.includes(failure.status)) return false;
      retryAfter = failure.retryAfter;
    }
    await pause(retryAfter);
  }
  return false;
}

async function* readEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const onConnectionLost = () => {
    throw new Failure(0, RECONNECT_PAUSE);
  };
  let events;
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(onConnectionLost);
      if (done) return;
      [events, rest] = splitEvents(rest + value);
      yield* events;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
