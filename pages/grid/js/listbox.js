/* A list of options below an input. The input keeps the focus, and the keyboard moves through the
   list: a combobox of ARIA. Below the options it has a note: a hint, or what is wrong. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const MARGIN = 6; /* pixels between the list and the edge of the window */
  let made = 0;

  class Listbox {
    /** @param {HTMLInputElement} input
        @param {string} name
        @param {(option: ListOption) => void} onChoose */
    constructor(input, name, onChoose) {
      this.input = input;
      this.onChoose = onChoose;
      this.options = /** @type {ListOption[]} */ ([]);
      this.active = -1;
      this.id = `orderDeskList${(made += 1)}`;
      /* AG Grid closes an open filter when something outside of it is clicked, but not for this. */
      this.gui = desk.element("div", "deskList ag-custom-component-popup");
      this.list = desk.element("div", "deskListOptions");
      this.list.id = this.id;
      this.list.setAttribute("role", "listbox");
      this.list.setAttribute("aria-label", name);
      this.note = desk.element("div", "deskListNote");
      this.note.id = `${this.id}Note`;
      this.gui.append(this.list, this.note);
      this.gui.addEventListener("mousedown", (event) => event.preventDefault()); /* keep the focus */
      this.hide = this.hide.bind(this);
      input.setAttribute("role", "combobox");
      input.setAttribute("aria-controls", this.id);
      input.setAttribute("aria-describedby", this.note.id);
      input.setAttribute("aria-expanded", "false");
      input.autocomplete = "off";
      input.spellcheck = false;
    }

    get isOpen() {
      return this.gui.isConnected;
    }

    /** @param {ListOption[]} options
        @param {string} note
        @param {boolean} [isWrong] */
    show(options, note, isWrong) {
      this.options = options;
      this.active = -1;
      this.list.hidden = !options.length;
      this.list.replaceChildren(...options.map((option, index) => this.row(option, index)));
      this.setNote(note, isWrong);
      if (!this.isOpen) {
        document.body.append(this.gui);
        window.addEventListener("resize", this.hide);
        window.addEventListener("scroll", this.onScroll, true);
      }
      this.input.setAttribute("aria-expanded", String(options.length > 0));
      this.input.removeAttribute("aria-activedescendant");
      this.place();
      const chosen = options.findIndex((one) => one.isChosen);
      if (chosen >= 0) this.list.children[chosen].scrollIntoView({ block: "nearest" });
    }

    setNote(note, isWrong = false) {
      this.note.textContent = note;
      this.note.classList.toggle("deskListWrong", isWrong);
      this.note.hidden = !note;
    }

    onScroll = (event) => {
      if (!this.gui.contains(event.target)) this.hide();
    };

    hide() {
      this.gui.remove();
      window.removeEventListener("resize", this.hide);
      window.removeEventListener("scroll", this.onScroll, true);
      this.input.setAttribute("aria-expanded", "false");
      this.input.removeAttribute("aria-activedescendant");
      this.active = -1;
    }

    /* Below the input, or above it if there is more room. */
    place() {
      const box = this.input.getBoundingClientRect();
      const { clientWidth, clientHeight } = document.documentElement;
      const below = clientHeight - box.bottom - MARGIN;
      const isAbove = below < 140 && box.top > below;
      const style = this.gui.style;
      this.limit(Math.max(80, (isAbove ? box.top : below) - MARGIN));
      style.minWidth = `${Math.min(box.width, clientWidth - 2 * MARGIN)}px`;
      style.left = `${Math.max(MARGIN, Math.min(box.left, clientWidth - this.gui.offsetWidth - MARGIN))}px`;
      style.top = isAbove ? `${box.top - this.gui.offsetHeight - 3}px` : `${box.bottom + 3}px`;
    }

    /* Give the list a height within the room. If it goes on, the last row is cut in the middle. */
    limit(room) {
      this.list.style.maxHeight = "";
      this.gui.style.maxHeight = `${room}px`;
      const [first] = this.list.children;
      if (!first || this.list.scrollHeight <= this.list.offsetHeight) return;
      const row = /** @type {HTMLElement} */ (first).offsetHeight;
      const whole = Math.max(1, Math.floor(this.list.offsetHeight / row - 0.5));
      this.list.style.maxHeight = `${(whole + 0.5) * row}px`;
    }

    row(option, index) {
      const row = desk.element("div", "deskListOption", option.label);
      row.id = `${this.id}_${index}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(Boolean(option.isChosen)));
      row.classList.toggle("deskListGroup", Boolean(option.beginsGroup));
      row.addEventListener("click", () => this.choose(index));
      return row;
    }

    choose(index) {
      const option = this.options[index];
      this.hide();
      this.onChoose(option);
    }

    move(index) {
      const rows = this.list.children;
      if (this.active >= 0) rows[this.active].classList.remove("deskListActive");
      this.active = index;
      rows[index].classList.add("deskListActive");
      rows[index].scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", rows[index].id);
    }

    /* Handle a key of the open list; return whether it was one of the list's. */
    handle(event) {
      const last = this.options.length - 1;
      if (event.key === "Escape") this.hide();
      else if (last < 0) return false;
      else if (event.key === "ArrowDown") this.move(this.active >= last ? 0 : this.active + 1);
      else if (event.key === "ArrowUp") this.move(this.active <= 0 ? last : this.active - 1);
      else if (event.key === "Enter" && this.active >= 0) this.choose(this.active);
      else return false;
      event.preventDefault();
      event.stopPropagation();
      return true;
    }
  }

  desk.Listbox = Listbox;
})();
