// The theme gives some buttons a label that hides the text on them from screen readers and voice control; the text will do.
for (const element of document.querySelectorAll("summary[aria-label], button.search-button-field[aria-label]")) {
  element.removeAttribute("aria-label");
}

// The arrow beside a page that has pages under it is named by nothing but its picture.
for (const arrow of document.querySelectorAll(".bd-sidebar details > summary")) {
  const page = arrow.closest("li").querySelector("a");
  arrow.setAttribute("aria-label", `Pages under ${page ? page.textContent.trim() : "this one"}`);
}

// The button for light and dark has a label and, on its three icons, titles that contradict it: the icons fall silent,
// now and again when Font Awesome has turned them into pictures.
function silenceIcons(button) {
  for (const icon of button.querySelectorAll(".theme-switch")) {
    icon.querySelector("title")?.remove();
    for (const attribute of ["title", "role", "aria-labelledby"]) {
      icon.removeAttribute(attribute);
    }
    icon.setAttribute("aria-hidden", "true");
  }
}
for (const button of document.querySelectorAll(".theme-switch-button")) {
  silenceIcons(button);
  new MutationObserver(() => silenceIcons(button)).observe(button, { childList: true });
}

// What scrolls sideways must be reached by the keyboard too.
const wide =
  ".cell_output .output, .cell_output figure, .pst-scrollable-table-container, mjx-container[display=true], .highlight pre";
function letKeyboardScroll() {
  for (const element of document.querySelectorAll(wide)) {
    if (element.scrollWidth > element.clientWidth) {
      element.tabIndex = 0;
    } else if (element.tabIndex === 0) {
      element.removeAttribute("tabindex");
    }
  }
}
window.addEventListener("load", letKeyboardScroll);
document.fonts.ready.then(letKeyboardScroll);
window.addEventListener("resize", letKeyboardScroll);
