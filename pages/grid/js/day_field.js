/* A text field for a day, with the calendar of the browser behind an icon. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const { element, dates } = desk;
  const SVG = "http://www.w3.org/2000/svg";

  class DayField {
    constructor(label, onInput) {
      this.gui = element("span", "deskDay");
      this.input = textField("deskDayText", label);
      this.input.placeholder = "Such as 2026-11-29";
      this.input.addEventListener("input", onInput);
      this.gui.append(this.input, calendarOf(this.input));
    }

    get text() {
      return this.input.value.trim();
    }

    set text(text) {
      this.input.value = text;
    }
  }

  /* The calendar icon: a day field of the browser, of which only the icon shows. */
  function calendarOf(input) {
    const calendar = element("input", "deskCalendar");
    calendar.type = "date";
    calendar.setAttribute("aria-label", "Choose from a calendar");
    const open = () => {
      calendar.value = dates.dayOf(input.value);
      try {
        calendar.showPicker();
      } catch (error) {
        input.focus(); /* an old browser: type the day */
      }
    };
    calendar.addEventListener("click", open);
    calendar.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") event.preventDefault(), open();
    });
    calendar.addEventListener("input", () => {
      if (!calendar.value) return;
      input.value = calendar.value;
      input.dispatchEvent(new Event("input"));
    });
    const around = element("span", "deskCalendarIcon");
    around.append(calendar, drawing());
    return around;
  }

  function drawing() {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", "M2.5 3.5h11v10h-11zM2.5 6.5h11M5.5 1.8v3M10.5 1.8v3");
    svg.append(path);
    return svg;
  }

  function textField(className, label) {
    const input = element("input", `${className} ag-input-field-input ag-text-field-input`);
    input.type = "text";
    input.setAttribute("aria-label", label);
    return input;
  }

  function mark(input, error) {
    input.classList.toggle("deskWrong", Boolean(error));
    if (error) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  desk.days = { DayField, calendarOf, textField, mark };
})();
