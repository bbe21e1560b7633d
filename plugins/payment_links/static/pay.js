// What the page can do without: it asks whether there is something new to see, and a form is sent once.
const { state, face, busy } = document.body.dataset;

document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
    return;
  }
  event.target.dataset.sent = "yes";
  const pressed = event.submitter;
  if (pressed) {
    pressed.textContent = busy;
    setTimeout(() => { pressed.disabled = true; });
  }
});

// Back from elsewhere by the history: what was sent then may be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

if (face === "wait") {
  let failures = 0;
  const source = new EventSource(`${location.pathname}/events`);
  source.addEventListener("pay", (event) => {
    failures = 0;
    if (JSON.parse(event.data).state !== state) {
      source.close();
      location.replace(location.href);
    }
  });
  source.onerror = () => {
    failures += 1;
    if (source.readyState === EventSource.CLOSED || failures > 3) {
      source.close();
      setTimeout(() => location.replace(location.href), 5000);
    }
  };
}
