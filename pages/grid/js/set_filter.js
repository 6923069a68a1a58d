/* Our set filter: a list of a column's values with search, counts and (blank). AG Grid has one only
   in its Enterprise edition. The server returns the values that match the other filters.
   Typing into the floating input below the header filters by “contains” instead. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const { element, debounce } = desk;

  /* `words` has the word for each value of a column: not_used is “Not used”. */
  function label(value, words) {
    if (value === null) return "(blank)";
    return words && Object.hasOwn(words, value) ? words[value] : desk.shown(value);
  }

  const inWords = (count) => (count === null ? "…" : count.toLocaleString("en"));

  /* Operators of a link or a saved view that this filter's list does not offer. */
  const OPERATORS = {
    blank: "(blank)",
    notBlank: "not blank",
    notContains: "does not contain",
    equals: "is",
    notEqual: "is not",
    startsWith: "starts with",
    endsWith: "ends with",
  };

  /** @param {SetFilterModel} model */
  function textOf({ type, filter, conditions }) {
    if (conditions) return conditions.map(textOf).join(" / ");
    return [OPERATORS[type] || "", filter || ""].join(" ").trim();
  }

  class SetFilter {
    /** @param {SetFilterParams} params */
    init(params) {
      this.params = params;
      this.model = null;
      this.asked = 0;
      this.gui = element("div", "deskSet");
      this.search = element("input", "deskSetSearch");
      this.search.type = "search";
      this.search.placeholder = "Search values";
      this.search.setAttribute("aria-label", `Search values of ${params.colDef.headerName}`);
      this.search.addEventListener("input", debounce(() => this.load()));
      this.list = element("div", "deskSetList");
      this.list.setAttribute("role", "group");
      this.list.setAttribute("aria-label", `Values of ${params.colDef.headerName}`);
      this.note = element("div", "deskSetNote");
      this.note.setAttribute("role", "status");
      const clear = element("button", "deskSetClear", "Clear");
      clear.type = "button";
      clear.addEventListener("click", () => this.choose(null));
      this.gui.append(this.search, this.list, this.note, clear);
    }

    getGui() {
      return this.gui;
    }

    afterGuiAttached() {
      this.search.value = ""; /* a list opens with all values */
      this.search.focus();
      this.load();
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

    /** @param {SetFilterModel | null} model */
    setModel(model) {
      this.model = model || null;
      this.mark();
    }

    getModelAsString(model) {
      if (!model) return "";
      if (!model.values) return textOf(model);
      const words = model.values.map((value) => label(value, this.params.words));
      return `(${words.length}) ${words.join(", ")}`;
    }

    chosen() {
      return new Set(this.model && this.model.values ? this.model.values : []);
    }

    choose(model) {
      this.setModel(model);
      this.params.filterChangedCallback();
    }

    toggle(value) {
      const chosen = this.chosen();
      if (!chosen.delete(value)) chosen.add(value);
      this.choose(chosen.size ? { filterType: "set", values: [...chosen] } : null);
    }

    async load() {
      const mine = ++this.asked;
      const name = this.params.column.getColId();
      const view = desk.asked(desk.currentFilters(), []);
      const question = { view, choices: name, search: this.search.value.trim() };
      this.note.textContent = "Loading…";
      try {
        /* The values come first, the counts later. */
        for (const counts of [false, true]) {
          const answer = await desk.ask({ ...question, counts }, () => mine === this.asked);
          if (mine !== this.asked) return;
          this.show(answer);
          if (answer.choices.every(([, count]) => count !== null)) break;
        }
      } catch (error) {
        if (mine === this.asked) this.note.textContent = error.message;
      }
    }

    show({ choices, more }) {
      const listed = JSON.stringify(choices.map(([value]) => value));
      if (listed === this.listed && this.list.childElementCount) {
        /* Only the counts are new, so the checkboxes stay in place. */
        choices.forEach(([, count], i) => {
          this.list.children[i].lastElementChild.textContent = inWords(count);
        });
      } else {
        this.list.replaceChildren(...choices.map((choice) => this.row(...choice)));
        this.listed = listed;
      }
      this.note.textContent = more
        ? `The first ${choices.length} values. Search to find others.`
        : choices.length
          ? ""
          : "No value matches.";
      this.mark();
    }

    /* `named` is the value with its name, as of a contract. */
    row(value, count, named) {
      const row = element("label", "deskSetRow");
      const box = element("input", "");
      box.type = "checkbox";
      box.value = JSON.stringify(value);
      box.addEventListener("change", () => this.toggle(value));
      const words = named ? desk.shown(named) : label(value, this.params.words);
      const text = element("span", value === null ? "deskSetBlank" : "deskSetValue", words);
      text.title = words;
      row.append(box, text, element("span", "deskSetCount", inWords(count)));
      return row;
    }

    mark() {
      const chosen = this.chosen();
      for (const box of this.list.querySelectorAll("input")) {
        box.checked = chosen.has(JSON.parse(box.value));
      }
    }
  }

  class SetFloatingFilter {
    /** @param {SetFloatingFilterParams} params */
    init(params) {
      this.params = params;
      this.input = element("input", "deskSetFloating ag-input-field-input ag-text-field-input");
      this.input.type = "text";
      const name = params.filterParams.colDef.headerName;
      this.input.setAttribute("aria-label", `${name} Filter Input`);
      this.isFlag = Boolean(params.filterParams.isFlag); /* yes or no: nothing to type */
      this.input.readOnly = this.isFlag;
      /* A box that takes no text opens the list. */
      this.input.addEventListener("click", () => this.input.readOnly && params.showParentFilter());
      this.input.addEventListener("keydown", (event) => {
        if (!this.input.readOnly || !["Enter", "ArrowDown"].includes(event.key)) return;
        event.preventDefault();
        event.stopPropagation(); /* the grid would look for the header that has just lost the focus */
        params.showParentFilter();
      });
      const changed = debounce(() => this.typed());
      this.input.addEventListener("input", changed);
      this.gui = element("div", "deskSetFloatingBox ag-input-wrapper");
      this.gui.setAttribute("role", "presentation");
      this.gui.append(this.input);
    }

    getGui() {
      return this.gui;
    }

    typed() {
      const filter = this.input.value;
      this.sent = filter;
      const model = filter ? { filterType: "text", type: "contains", filter } : null;
      this.params.parentFilterInstance((parent) => parent.choose(model));
    }

    onParentModelChanged(model) {
      const isTyped = model && model.type === "contains";
      const words = model
        ? isTyped
          ? model.filter
          : SetFilter.prototype.getModelAsString.call({ params: this.params.filterParams }, model)
        : "";
      /* An earlier text comes back while the person types: keep the newer text. */
      const isEcho = isTyped && words === this.sent && document.activeElement === this.input;
      if (!isEcho) {
        this.input.value = words;
        this.sent = null;
      }
      this.input.readOnly = this.isFlag || (Boolean(model) && !isTyped);
    }
  }

  desk.SetFilter = SetFilter;
  desk.SetFloatingFilter = SetFloatingFilter;
})();
