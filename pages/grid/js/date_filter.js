/* The filter of dates that the funnel of a header opens. AG Grid's own knows no number of days, and
   shows a day in the format of the browser, not of the cells. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const { element, debounce, dates } = desk;
  const { DayField, textField, mark } = desk.days;
  const FIRST = "equals"; /* what the filter asks before anybody chooses */

  /* One condition in the filter: the question, and the days or the number of days that it needs. */
  class Condition {
    /** @param {DateFilterParams} params
        @param {() => void} onInput
        @param {() => void} onIncomplete */
    constructor(params, onInput, onIncomplete) {
      this.params = params;
      this.onInput = onInput;
      const late = debounce(onInput);
      this.gui = element("div", "deskDateCondition");
      this.operator = textField("deskDateOperator", "Filtering operator");
      this.operator.readOnly = true;
      this.list = new desk.Listbox(this.operator, "Filtering operator", (option) => {
        this.choose(option.choice);
        (this.shown[0] || this.operator).focus();
        this.isDone = true; /* what was typed for the question before */
        if (this.read()) onInput();
        else onIncomplete(); /* the last filter stays, until this one is complete */
        this.isDone = false;
      });
      this.operator.addEventListener("click", () => this.open());
      this.operator.addEventListener("blur", this.list.hide);
      this.operator.addEventListener("keydown", (event) => {
        const opens = ["ArrowDown", "ArrowUp", "Enter", " "].includes(event.key);
        if (this.list.isOpen && event.key !== " " ? this.list.handle(event) : !opens) return;
        event.preventDefault();
        event.stopPropagation();
        this.open();
      });
      this.fields = [new DayField("From", late), new DayField("To", late)];
      this.count = textField("deskDateCount", "Number of days");
      this.count.inputMode = "numeric";
      this.count.placeholder = "Number of days";
      this.count.addEventListener("input", late);
      const chevron = element("div", "deskDateChevron");
      chevron.append(this.operator);
      this.isDone = false;
      for (const input of this.inputs) {
        input.addEventListener("change", () => {
          this.isDone = true; /* a day that is left unfinished is wrong */
          onInput();
          this.isDone = false;
        });
      }
      this.gui.append(chevron, this.count, ...this.fields.map((one) => one.gui));
      this.set(null);
    }

    open() {
      const listed = this.params.choices.filter((one) => one.isListed || one === this.choice);
      const isRelative = (one) => one.takes !== "day" && one.takes !== "range";
      const sorted = [...listed.filter((one) => !isRelative(one)), ...listed.filter(isRelative)];
      const options = sorted.map((choice) => {
        const beginsGroup = choice === sorted.find(isRelative);
        return { label: choice.label, choice, isChosen: choice === this.choice, beginsGroup };
      });
      this.list.show(options, "");
    }

    choose(choice) {
      this.choice = choice;
      this.operator.value = choice.label;
      const isDay = choice.takes === "day";
      this.fields[0].gui.hidden = !isDay && choice.takes !== "range";
      this.fields[1].gui.hidden = choice.takes !== "range";
      this.count.hidden = choice.takes !== "count";
      this.fields[0].input.setAttribute("aria-label", isDay ? "Day" : "From");
    }

    set(model) {
      const { choices } = this.params;
      this.choose((model && dates.choiceOf(model, choices)) || dates.choiceOf({ type: FIRST }, choices));
      this.fields[0].text = model ? dates.dayOf(model.dateFrom) : "";
      this.fields[1].text = model ? dates.dayOf(model.dateTo) : "";
      this.count.value = model && model.filter ? String(model.filter) : "";
      this.inputs.forEach((input) => mark(input, ""));
    }

    get inputs() {
      return [...this.fields.map((one) => one.input), this.count];
    }

    /* The inputs that the question needs. */
    get shown() {
      const days = this.fields.filter((one) => !one.gui.hidden).map((one) => one.input);
      return this.count.hidden ? days : [this.count];
    }

    /* The condition as {model}, {error}, {isPending} while it is typed, or null if it is empty. */
    read() {
      const { shown } = this;
      const added = shown.map((input) => input.value.trim());
      if (shown.length && !added.some(Boolean)) return null;
      const isTyped = (text) => this.isDone || dates.isWhole(this.choice, text);
      const wrong = added.map((text) =>
        text && isTyped(text) ? dates.wrong(this.choice, text, this.params) : ""
      );
      shown.forEach((input, index) => mark(input, wrong[index]));
      if (wrong.some(Boolean)) return { error: wrong.find(Boolean) };
      if (!added.every((text) => text && isTyped(text))) return { isPending: true };
      return dates.ask(this.choice, added, this.params);
    }
  }

  class DateFilter {
    /** @param {DateFilterParams} params */
    init(params) {
      this.params = params;
      this.model = null;
      this.gui = element("div", "deskDate");
      this.gui.setAttribute("role", "group");
      this.gui.setAttribute("aria-label", `Filter ${params.colDef.headerName}`);
      this.conditions = [0, 1].map(() => new Condition(
        params,
        () => this.changed(),
        () => this.showSecond()
      ));
      this.joint = element("div", "deskDateJoint");
      this.joint.setAttribute("role", "radiogroup");
      this.joint.setAttribute("aria-label", "Join the conditions");
      this.radios = ["AND", "OR"].map((word) => this.radio(word));
      this.note = element("div", "deskSetNote deskDateNote");
      this.note.setAttribute("role", "alert");
      const clear = element("button", "deskSetClear", "Clear");
      clear.type = "button";
      clear.addEventListener("click", () => this.choose(null));
      const [first, second] = this.conditions;
      this.gui.append(first.gui, this.joint, second.gui, this.note, clear);
      this.setModel(null);
    }

    radio(word) {
      const label = element("label", "");
      const radio = element("input", "");
      radio.type = "radio";
      radio.name = `orderDeskJoint_${this.params.column.getColId()}`;
      radio.value = word;
      radio.addEventListener("change", () => this.changed());
      label.append(radio, word);
      this.joint.append(label);
      return radio;
    }

    getGui() {
      return this.gui;
    }

    afterGuiAttached() {
      this.setModel(this.model); /* what was typed and not finished is gone */
      this.conditions[0].operator.focus();
    }

    isFilterActive() {
      return this.model !== null;
    }

    doesFilterPass() {
      return true; /* the server filters */
    }

    getModel() {
      return this.model;
    }

    /** @param {DateModel | null} model */
    setModel(model) {
      this.model = model || null;
      const parts = model ? model.conditions || [model] : [];
      this.conditions.forEach((one, index) => one.set(parts[index] || null));
      this.radios.forEach((one) => (one.checked = one.value === ((model && model.operator) || "AND")));
      this.note.textContent = "";
      this.showSecond();
    }

    getModelAsString(model) {
      return dates.textOf(model, this.params.choices);
    }

    choose(model) {
      this.setModel(model);
      this.params.filterChangedCallback();
    }

    /* The second condition shows when the first is complete, and when it is asked itself. */
    showSecond() {
      const [first, second] = this.conditions.map((one) => one.read());
      const isComplete = Boolean((first && first.model) || second);
      this.joint.hidden = this.conditions[1].gui.hidden = !isComplete;
    }

    changed() {
      this.showSecond();
      const answers = this.conditions.map((one) => one.read()).filter(Boolean);
      const wrong = answers.find((one) => one.error);
      this.note.textContent = wrong ? wrong.error : "";
      if (wrong || answers.some((one) => one.isPending)) return; /* the last filter stays */
      const models = answers.map((one) => one.model);
      const operator = this.radios[1].checked ? "OR" : "AND";
      const two = /** @type {DateModel} */ ({ filterType: "date", operator, conditions: models });
      const model = models.length === 2 ? two : models[0] || null;
      if (JSON.stringify(model) === JSON.stringify(this.model)) return;
      this.model = model;
      this.params.filterChangedCallback();
    }
  }

  desk.DateFilter = DateFilter;
})();
