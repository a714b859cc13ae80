// What needs no answer of the server; every page works without it.
"use strict";

// a file that would be refused is not sent: a server that refuses it midway is heard by few browsers
document.addEventListener("change", event => {
    const said = event.target.form?.querySelector(".too-large");
    if (!said) return;
    said.hidden = ![...event.target.files].some(file => file.size > event.target.dataset.largest);
});

// a file that was sent takes its time: say so, and do not send it twice
document.addEventListener("submit", event => {
    const said = event.target.querySelector(".on-its-way");
    if (!said) return;
    const tooLarge = event.target.querySelector(".too-large:not([hidden])");
    if (tooLarge || !said.hidden) event.preventDefault();
    said.hidden = Boolean(tooLarge);
});

// who comes back to the form may send another
window.addEventListener("pageshow", () => {
    for (const said of document.querySelectorAll(".on-its-way")) said.hidden = true;
});

// from the reason of a cell back to the cell
let cell = null;
document.addEventListener("click", event => {
    cell = event.target.closest("[hx-target='#why']") ?? cell;
});
document.addEventListener("keydown", event => {
    if (event.key === "Escape" && cell?.isConnected) cell.focus();
});
