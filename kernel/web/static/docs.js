// The API pages at /docs: sign in, then read and try exactly what is enabled for that business.
// The access token lives in this closure only: a reload, a second tab or a closed tab forgets it.
(() => {
  "use strict";

  const DESCRIPTION_URL = "/api/v1/openapi.json";
  const LOGIN_URL = "/api/v1/auth/login";
  const ASK_FOR_CODE = "Now the code that your authenticator app shows, or a recovery code.";
  const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

  const form = document.getElementById("sign-in");
  const submit = form.querySelector("button");
  const secondFactor = document.getElementById("second-factor");
  const session = document.getElementById("session");
  const signOutButton = document.getElementById("sign-out");
  const error = document.getElementById("error");
  const status = document.getElementById("status");
  const reference = document.getElementById("reference");

  let login = null; // the answer of the sign-in, or null when signed out
  let visit = 0; // grows with each sign-in and sign-out; an answer to an older visit is dropped

  followColourScheme();
  form.addEventListener("submit", signIn);
  signOutButton.addEventListener("click", () => signOut());
  submit.disabled = false;
  showReference();

  async function signIn(event) {
    event.preventDefault();
    showError("");
    setBusy(true);
    try {
      login = await askForToken(new FormData(form));
      form.reset();
      askForCode(false);
      showSession();
      await showReference();
    } catch (fault) {
      showError(fault.code === "second-factor-required" ? ASK_FOR_CODE : fault.message);
      if (String(fault.code).startsWith("second-factor-")) askForCode(true);
      else if (!login) form.elements.password.focus();
    } finally {
      setBusy(false);
    }
  }

  async function signOut(reason = "") {
    login = null;
    showSession();
    showError(reason);
    await showReference();
  }

  function askForToken(fields) {
    const body = { username: fields.get("username").trim(), password: fields.get("password") };
    const business = fields.get("business").trim();
    if (business) body.business = business;
    const code = (fields.get("code") ?? "").replace(/\s+/g, "");
    if (code) body.code = code;
    return askForJson(LOGIN_URL, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": randomKey() },
      body: JSON.stringify(body),
    });
  }

  // The field for a code is there only for those whose account asks for one.
  function askForCode(asked) {
    secondFactor.hidden = !asked;
    form.elements.code.value = "";
    form.elements.code.required = asked;
    if (asked) form.elements.code.focus();
  }

  // Draws the description that the present visitor may see; a fresh Swagger UI each time, so that
  // no answer of one business stays on the screen of the next.
  async function showReference() {
    const mine = ++visit;
    status.textContent = "Loading the API description…";
    reference.replaceChildren();
    try {
      const headers = login ? { Authorization: `Bearer ${login.access_token}` } : {};
      const description = await askForJson(DESCRIPTION_URL, { headers });
      if (mine !== visit) return;
      status.replaceChildren(...summary(countOperations(description)));
      drawReference(description, mine);
    } catch (fault) {
      if (mine !== visit) return;
      status.textContent = "";
      showError(fault.message);
    }
  }

  function drawReference(description, mine) {
    const room = document.createElement("div");
    reference.replaceChildren(room);
    SwaggerUIBundle({
      domNode: room,
      spec: withOptionalKey(description),
      layout: "BaseLayout",
      presets: [SwaggerUIBundle.presets.apis],
      plugins: [withoutLocks],
      deepLinking: true,
      displayRequestDuration: true,
      docExpansion: "none",
      defaultModelsExpandDepth: 0,
      filter: true,
      persistAuthorization: false,
      tryItOutEnabled: true,
      validatorUrl: null,
      requestInterceptor: (request) => (mine === visit ? signed(request) : request),
      responseInterceptor: (response) => {
        if (mine === visit && response.status === 401 && login) {
          signOut("Your sign-in has ended. Sign in again.");
        }
        return response;
      },
    });
  }

  // The bar of this page signs in, so Swagger UI's own padlocks would only promise a second way.
  function withoutLocks() {
    return { wrapComponents: { authorizeOperationBtn: () => () => null } };
  }

  // Adds what every request of ours carries, where the reader has not written it herself.
  function signed(request) {
    if (new URL(request.url, location.href).origin !== location.origin) return request;
    request.credentials = "omit"; // a console cookie must not answer for a token
    if (login) addHeader(request, "Authorization", `Bearer ${login.access_token}`);
    if ((request.method || "GET").toUpperCase() === "POST") addHeader(request, "Idempotency-Key", randomKey());
    return request;
  }

  function addHeader(request, name, value) {
    request.headers = request.headers || {};
    const present = Object.keys(request.headers).some((key) => key.toLowerCase() === name.toLowerCase());
    if (!present) request.headers[name] = value;
  }

  // The page fills the key in, so the form must not refuse to send without one.
  function withOptionalKey(description) {
    const shared = Object.values(description.components?.parameters ?? {});
    const paths = Object.values(description.paths ?? {});
    const own = paths.flatMap((path) => [path, ...METHODS.map((method) => path[method])].flatMap((at) => at?.parameters ?? []));
    for (const parameter of [...shared, ...own]) {
      if (parameter.in === "header" && parameter.name.toLowerCase() === "idempotency-key") parameter.required = false;
    }
    return description;
  }

  function countOperations(description) {
    const paths = Object.values(description.paths ?? {});
    return paths.reduce((sum, path) => sum + METHODS.filter((method) => path[method]).length, 0);
  }

  function summary(count) {
    const operations = `${count} ${count === 1 ? "operation" : "operations"}`;
    if (!login) return [`Signed out: ${operations} open to everyone. Sign in to see what is enabled for your business.`];
    if (login.must_set_up_second_factor) {
      return ["Your role takes a second factor here. Set it up with POST /auth/second-factor and …/confirm; then all is open."];
    }
    if (!login.business) return [`Signed in without a business: ${operations}.`];
    const name = document.createElement("strong");
    name.textContent = login.business.name;
    return [name, ` ${operations} enabled for this business`];
  }

  function showSession() {
    form.hidden = Boolean(login);
    session.hidden = !login;
    (login ? signOutButton : form.elements.username).focus();
  }

  function setBusy(busy) {
    submit.disabled = busy;
    form.setAttribute("aria-busy", String(busy));
    submit.textContent = busy ? "Signing in…" : "Sign in";
  }

  function showError(text) {
    error.textContent = text;
    error.hidden = !text;
  }

  // Answers the parsed body, or throws an Error that a reader can act on.
  async function askForJson(url, options) {
    let response;
    try {
      response = await fetch(url, { credentials: "omit", cache: "no-store", ...options });
    } catch {
      throw new Error("No answer from the server. Check the connection and try again.");
    }
    const body = await response.json().catch(() => null);
    if (!response.ok) {
      const said = body?.detail || body?.title || `The server answered ${response.status}.`;
      throw Object.assign(new Error(said), { code: body?.code });
    }
    if (body === null) throw new Error("The server's answer could not be read.");
    return body;
  }

  // Not crypto.randomUUID, which is missing on plain http inside a shop's own network.
  function randomKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function followColourScheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const apply = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
    dark.addEventListener("change", apply);
    apply();
  }
})();
