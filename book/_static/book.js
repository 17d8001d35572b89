// The theme gives some buttons a label that hides the text on them from screen readers and voice control; the text will
// do. The button for light and dark has a label and, on its three icons, titles that contradict it: the icons fall
// silent, whether Font Awesome has turned them into pictures already or not.
for (const element of document.querySelectorAll("summary[aria-label], button.search-button-field[aria-label]")) {
  element.removeAttribute("aria-label");
}
for (const icon of document.querySelectorAll(".theme-switch-button .theme-switch")) {
  icon.querySelector("title")?.remove();
  icon.removeAttribute("title");
  icon.removeAttribute("role");
  icon.removeAttribute("aria-labelledby");
  icon.setAttribute("aria-hidden", "true");
}

// What scrolls sideways must be reached by the keyboard too.
const wide = ".cell_output .output, .pst-scrollable-table-container, mjx-container[display=true], .highlight pre";
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
window.addEventListener("resize", letKeyboardScroll);
