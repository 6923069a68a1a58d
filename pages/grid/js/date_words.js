/* Dates as people write them: a filter of days becomes text, and text a filter. The choices, with
   their words, come from the page (see offered_dates.py). */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const DAY = /^\d{4}-\d{2}-\d{2}$/;
  const PERIOD = /^(\d{4})(?:-(\d{2}))?$/; /* a year or a month */
  const RANGE = /^(?:between )?(\S+?) ?(?: to | and |–|\.\.| - ) ?(\S+)$/;
  const HINT = "Type a day such as 2026-11-29";

  const tidy = (text) => text.trim().replace(/\s+/g, " ").toLowerCase().replace(/^in (the )?/, "");
  const dayOf = (text) => (text || "").slice(0, 10);

  /* The first and the last day of what a person typed: of a day, a month or a year. */
  function daysOf(text) {
    const [, year, month] = PERIOD.exec(text) || [];
    if (!year) return [text, text];
    if (!month) return [`${year}-01-01`, `${year}-12-31`];
    const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
    return [`${text}-01`, `${text}-${last}`];
  }

  /* Two days as text; a whole month or year is short: 2026-12. */
  function rangeOf(from, to) {
    const whole = [from.slice(0, 4), from.slice(0, 7)].find((one) => {
      const [first, last] = daysOf(one);
      return first === from && last === to;
    });
    return whole || `${from} – ${to}`;
  }

  /* What is wrong with a day, month or year; empty if nothing is. */
  function wrongDay(text, { earliest, latest }) {
    const [first, last] = daysOf(text);
    if (!DAY.test(first)) return `“${text}” is not a day. ${HINT}.`;
    const day = new Date(`${first}T00:00:00Z`);
    if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== first)
      return `“${text}” is not a ${DAY.test(text) ? "day" : "month"} of the calendar.`;
    return first < earliest || last > latest ? `A day must be from ${earliest} to ${latest}.` : "";
  }

  function wrongCount(text, { maxDays }) {
    const isRight = /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= maxDays;
    const most = maxDays.toLocaleString("en");
    return isRight ? "" : `The number of days must be a whole number from 1 to ${most}.`;
  }

  function wrong(choice, text, params) {
    if (choice.type === "notEqual" && PERIOD.test(text)) return `“${text}” is not a day. ${HINT}.`;
    return (choice.takes === "count" ? wrongCount : wrongDay)(text, params);
  }

  /* Is a text complete, so that it can be wrong, while a person types it? */
  const isWhole = (choice, text) =>
    choice.takes === "count" || text.length >= 10 || (choice.type !== "notEqual" && PERIOD.test(text));

  /* The filter of a choice with what a person added to it: days, or a number of days. */
  function ask(choice, added, params) {
    const model = { filterType: "date", type: choice.type };
    if (choice.count) return { model: { ...model, filter: choice.count } };
    if (choice.takes === "") return { model };
    const error = added.map((one) => wrong(choice, one, params)).find(Boolean);
    if (error) return { error };
    if (choice.takes === "count") return { model: { ...model, filter: Number(added[0]) } };
    const days = added.map(daysOf);
    const [first, last] = [days[0][0], days[days.length - 1][1]];
    if (choice.takes === "day" && (choice.type !== "equals" || first === last)) {
      const isLast = ["greaterThan", "lessThanOrEqual"].includes(choice.type);
      return { model: { ...model, dateFrom: `${isLast ? last : first} 00:00:00` } };
    }
    if (last < first) return { error: "The range ends before it begins." };
    const [dateFrom, dateTo] = [`${first} 00:00:00`, `${last} 00:00:00`];
    return { model: { ...model, type: "inRange", dateFrom, dateTo } };
  }

  /* A choice's label with a number of days: Last 12 days. */
  const counted = (choice, count) =>
    choice.label.replace("…", count).replace(count === 1 ? /s$/ : /$^/, "");

  function choiceOf(condition, choices) {
    const named = choices.filter((one) => one.type === condition.type);
    return named.find((one) => one.count === condition.filter) || named.find((one) => !one.count);
  }

  /* A filter as the box shows it, and, with one condition, as `parse` reads it. */
  function textOf(model, choices) {
    if (!model) return "";
    if (!model.conditions) return conditionText(model, choices);
    const texts = model.conditions.map((one) => conditionText(one, choices));
    return texts.join(` ${model.operator.toLowerCase()} `);
  }

  function conditionText(condition, choices) {
    const choice = choiceOf(condition, choices);
    if (!choice) return "";
    const [from, to] = [dayOf(condition.dateFrom), dayOf(condition.dateTo)];
    if (choice.takes === "count") return counted(choice, condition.filter);
    if (choice.takes === "range") return rangeOf(from, to);
    if (choice.takes === "day")
      return condition.type === "equals" ? from : `${choice.label} ${from}`;
    return choice.label;
  }

  /* A typed text as {model}, null for no filter, or as {error}. */
  function parse(typed, params) {
    const text = tidy(typed);
    if (!text) return { model: null };
    const { choices } = params;
    const named = choices.find((one) => !one.label.includes("…") && tidy(one.label) === text);
    if (named && (named.takes === "" || named.count)) return ask(named, [], params);
    for (const choice of choices.filter((one) => one.takes === "count")) {
      const [before, after] = tidy(choice.label).split("…");
      const isIt = text.startsWith(before) && /\sdays?$/.test(text) && after === " days";
      if (isIt && !choice.isListed) return { error: "This date is never in the future." };
      if (isIt) return ask(choice, [text.slice(before.length).replace(/ days?$/, "")], params);
    }
    const range = RANGE.exec(text);
    const between = choices.find((one) => one.takes === "range");
    if (range && range.slice(1).some((one) => /^\d/.test(one)))
      return ask(between, range.slice(1), params);
    const ofDay = choices.filter((one) => one.takes === "day");
    /* The longest first: “on or before” begins with “on”. */
    ofDay.sort((a, b) => b.label.length - a.label.length);
    const asked = ofDay.find((one) => text.startsWith(`${tidy(one.label)} `));
    if (asked) return ask(asked, [text.slice(asked.label.length + 1)], params);
    if (/^\d{4}(-|$)/.test(text)) return ask(ofDay.find((one) => one.type === "equals"), [text], params);
    return { error: `“${typed.trim()}” is not a date. ${HINT}, or choose from the list.` };
  }

  /* The relative choices that fit a text; a number in it is a number of days. */
  function suggest(typed, choices) {
    const text = tidy(typed);
    const isShort = (one) => one.isListed && (one.takes === "" || one.count);
    const count = /^\D*?(\d{1,3})(?: d[a-z]*)?$/.exec(text);
    const found = choices.filter((one) => isShort(one) && tidy(one.label).includes(text));
    if (!count || !Number(count[1])) return found;
    const begun = text.slice(0, text.indexOf(count[1]));
    const more = choices.filter(
      (one) => one.takes === "count" && one.isListed && tidy(one.label).startsWith(begun)
    );
    const made = more.map((one) => ({
      ...one,
      label: counted(one, Number(count[1])),
      count: Number(count[1]),
    }));
    const labels = new Set(found.map((one) => one.label));
    return [...found, ...made.filter((one) => !labels.has(one.label))];
  }

  desk.dates = { ask, choiceOf, dayOf, isWhole, parse, suggest, textOf, wrong };
})();
