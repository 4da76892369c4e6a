// Numbers and dates in the reader's language, search as one types, and copying.
"use strict";

const own = (() => {
  let language = navigator.language;
  try {
    Intl.getCanonicalLocales(language);
  } catch {
    language = undefined; // some systems' language, such as C, is none
  }
  const percent = { style: "percent", maximumFractionDigits: 1 };
  return {
    number: new Intl.NumberFormat(language, { maximumFractionDigits: 3 }),
    percent: new Intl.NumberFormat(language, percent),
    change: new Intl.NumberFormat(language, { ...percent, signDisplay: "exceptZero" }),
    day: new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }),
  };
})();

function inOwnLanguage(root) {
  for (const data of root.querySelectorAll("data")) {
    const exact = /^-?\d+$/.test(data.value) ? BigInt(data.value) : Number(data.value); // ids of 19 digits, too
    data.textContent = (own[data.className] ?? own.number).format(exact);
  }
  for (const time of root.querySelectorAll("time")) {
    time.textContent = own.day.format(new Date(time.dateTime));
    if (time.dateTime.length > 10) time.title = time.dateTime;
  }
}

async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return "Copied";
  } catch {
    // Without https a browser has no clipboard for a page; a person has.
    getSelection().selectAllChildren(element);
    return "Selected: copy it with the keyboard";
  }
}

function searchAsOneTypes(form) {
  const input = form.elements.q;
  const results = document.getElementById(form.dataset.results);
  const status = document.getElementById(form.dataset.status);
  let timer = 0;
  let under = null;
  async function search() {
    const q = input.value.trim();
    under?.abort();
    under = new AbortController();
    history.replaceState(null, "", q ? `${form.action}?${new URLSearchParams({ q })}` : form.action);
    if (!q) {
      results.replaceChildren();
      status.textContent = "";
      return;
    }
    try {
      const answer = await fetch(`${form.action}.json?${new URLSearchParams({ q })}`, { signal: under.signal });
      if (!answer.ok) {
        status.textContent = (await answer.json()).error;
        return;
      }
      const found = (await answer.json()).results;
      results.replaceChildren(...found.map(item));
      results.nextElementSibling?.remove();
      status.textContent = found.length ? `${found.length} found` : "Nothing found. Try fewer or other words.";
    } catch (error) {
      if (error.name !== "AbortError") status.textContent = "The search can't be reached.";
    }
  }
  function item(row) {
    const [li, a, kind, title] = ["li", "a", "span", "span"].map((name) => document.createElement(name));
    kind.className = `kind ${row.kind}`;
    kind.textContent = row.kind;
    title.textContent = row.title?.trim() ? row.title : `${row.kind} ${row.id}`;
    a.href = row.address;
    a.append(kind, " ", title);
    li.append(a);
    return li;
  }
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 120);
  });
}

inOwnLanguage(document);
for (const form of document.querySelectorAll("form.live")) searchAsOneTypes(form);
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    button.textContent = await copy(document.getElementById(button.dataset.copy));
  });
}
