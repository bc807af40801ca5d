/** How the page reads from the BFF: with the reader's token, and at regular intervals. */

const STORAGE_KEY = "token";
const FORBIDDEN_PAUSE = 60_000; // ms; with the same token the answer would be the same
const signals = new EventTarget(); // "change": there is another token; "missing": a valid one is needed
let tokens = 0; // how many there have been in this page

/** Why there is no answer to show. `status`: HTTP's, 0 if nobody answers; `retryAfter`: ms until it makes sense to ask
    again. */
export class Failure extends Error {
  constructor(status, retryAfter = 3000) {
    super(`status ${status}`);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** The key of the text that explains it, and that text's values. `scope`: what the token would need. */
  text(scope) {
    const key = [0, 401, 403, 404, 429, 503].includes(this.status) ? this.status : "other";
    return [`failure.${key}`, { scope }];
  }
}

export function hasToken() {
  return sessionStorage.getItem(STORAGE_KEY) !== null;
}

/** Calls `onChange` when there is another token, and `onMissing` when the BFF asks for a valid one. */
export function watchToken(onChange, onMissing) {
  signals.addEventListener("change", onChange);
  signals.addEventListener("missing", onMissing);
}

/** Keeps another token for this tab; null forgets it. */
export function setToken(token) {
  if (token === null) sessionStorage.removeItem(STORAGE_KEY);
  else sessionStorage.setItem(STORAGE_KEY, token);
  tokens += 1;
  signals.dispatchEvent(new Event("change"));
}

/** The response to a GET, if its status is a good one; throws a Failure otherwise. `signal` aborts it. */
export async function request(path, { headers = {}, signal } = {}) {
  const token = sessionStorage.getItem(STORAGE_KEY);
  const asked = tokens;
  const allHeaders = token === null ? headers : { ...headers, Authorization: `Bearer ${token}` };
  let response;
  try {
    response = await fetch(path, { headers: allHeaders, signal });
  } catch {
    throw new Failure(0);
  }
  if (response.ok) return response;
  if (response.status === 401 && asked === tokens) signals.dispatchEvent(new Event("missing"));
  throw new Failure(response.status, 1000 * (response.headers.get("Retry-After") ?? 3));
}

/** Runs `action` now and again after every pause while the page can be seen, and at once when there is another token,
    also if that came while the action ran. A pause takes `ms`, unless the action returns another number of ms. It never
    ends. */
export async function every(ms, action) {
  for (;;) {
    await untilVisible();
    const begun = tokens;
    const wait = (await action()) ?? ms;
    if (begun === tokens) await pause(wait);
  }
}

/** Gives `onData` the answer, parsed from JSON, or `onFailure` the failure. Returns how many ms to wait before it is
    read again, if `onData` or the failure says so. */
export async function read(path, onData, onFailure) {
  let data;
  try {
    data = await (await request(path)).json();
  } catch (error) {
    const failure = error instanceof Failure ? error : new Failure(0);
    onFailure(failure);
    return [401, 403].includes(failure.status) ? FORBIDDEN_PAUSE : failure.retryAfter;
  }
  return onData(data);
}

/** Waits for `ms`, or until there is another token. */
export function pause(ms) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signals.removeEventListener("change", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signals.addEventListener("change", end);
  });
}

/** Waits until the page can be seen. */
export function untilVisible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}
