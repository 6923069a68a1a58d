/* The box of dates below a header: it takes every text that it shows, but for two conditions. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const { element, debounce, dates } = desk;
  const { calendarOf, textField, mark } = desk.days;
  const HINT =
    "Or type a day, month or year, such as 2026-11-29, 2026-11 or 2026, or a number of days, such as last 45 days.";

  class DateBox {
    /** @param {DateBoxParams} params */
    init(params) {
      this.params = params;
      this.model = null;
      this.error = "";
      this.wrong = null; /* the text that the error is about */
      const { colDef, choices } = params.filterParams;
      const label = `${colDef.headerName} Filter Input`;
      this.choices = choices;
      this.input = textField("deskSetFloating", label);
      this.list = new desk.Listbox(this.input, `Dates for ${colDef.headerName}`, ({ choice }) => {
        this.input.value = choice.label;
        this.apply(true);
      });
      const late = debounce(() => this.apply(false));
      this.input.addEventListener("input", () => {
        this.offer();
        late();
      });
      this.input.addEventListener("focus", () => this.error && this.offer());
      this.input.addEventListener("click", () => this.offer());
      this.input.addEventListener("blur", () => this.leave());
      this.input.addEventListener("keydown", (event) => this.onKey(event));
      const calendar = calendarOf(this.input);
      calendar.firstElementChild.setAttribute("tabindex", "-1"); /* by keyboard, in the funnel */
      this.gui = element("div", "deskSetFloatingBox deskDay ag-input-wrapper");
      this.gui.setAttribute("role", "presentation");
      this.gui.append(this.input, calendar);
    }

    getGui() {
      return this.gui;
    }

    onKey(event) {
      if (this.list.isOpen && this.list.handle(event)) return;
      if (event.key === "ArrowDown" && !this.input.readOnly) {
        event.preventDefault();
        event.stopPropagation();
        this.offer();
        if (this.list.options.length) this.list.move(0);
      } else if (event.key === "Enter") {
        event.stopPropagation();
        this.apply(true);
      }
    }

    /* Offer what fits the typed text; everything, if the text is the filter that is set. */
    offer() {
      if (this.input.readOnly) return;
      const shown = dates.textOf(this.model, this.choices);
      const typed = this.input.value === shown ? "" : this.input.value;
      const options = dates.suggest(typed, this.choices).map((choice) => {
        return { label: choice.label, choice, isChosen: choice.label === shown };
      });
      this.list.show(options, this.error || HINT, Boolean(this.error));
    }

    /* Filter by the typed text. While a person types, only a whole day can be wrong. */
    apply(isDone) {
      if (this.input.readOnly) return;
      const text = this.input.value;
      const { model, error } = dates.parse(text, this.params.filterParams);
      const isWhole = isDone || text === this.wrong || /\d{4}-\d{2}-\d{2}$/.test(text);
      this.wrong = error && isWhole ? text : null;
      this.tell(this.wrong === null ? "" : error);
      if (error) return; /* the last filter stays */
      if (isDone) {
        this.list.hide();
        this.input.value = dates.textOf(model, this.choices);
      }
      if (JSON.stringify(model) === JSON.stringify(this.model)) return;
      this.params.parentFilterInstance((parent) => parent.choose(model));
    }

    tell(error) {
      if (error && error !== this.error) desk.announce(error);
      this.error = error;
      mark(this.input, error);
      this.input.title = error || this.input.value;
      if (error) this.list.show([], error, true);
      else if (this.list.isOpen) this.list.setNote(HINT);
    }

    /* A wrong text stays, with what is wrong; the list goes. */
    leave() {
      this.apply(true);
      if (!this.error) this.list.hide();
    }

    onParentModelChanged(model) {
      this.model = model || null;
      const text = dates.textOf(model, this.choices);
      const isTyping = document.activeElement === this.input && !this.input.readOnly;
      const typed = dates.parse(this.input.value, this.params.filterParams);
      const isEcho = isTyping && JSON.stringify(typed.model) === JSON.stringify(model || null);
      if (!isEcho) this.input.value = text;
      this.tell("");
      this.input.readOnly = Boolean(model && model.conditions);
    }

    destroy() {
      this.list.hide();
    }
  }

  desk.DateBox = DateBox;
})();
