/* What the table says: an alert that stays, a word that something was done, and what a screen reader
   says alone. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const DONE_MS = 4000;

  desk.notify = (sentence) => show("orderDeskNotice", "alert", sentence);

  /* Say for some seconds that something was done. */
  desk.tell = function (sentence) {
    show("orderDeskDone", "status", sentence);
    setTimeout(() => show("orderDeskDone", "status", null), DONE_MS);
  };

  function show(id, role, sentence) {
    let notice = document.getElementById(id);
    if (!notice) {
      notice = document.createElement("div");
      notice.id = id;
      notice.setAttribute("role", role);
      document.body.appendChild(notice);
    }
    notice.textContent = sentence || "";
    notice.hidden = !sentence;
  }

  /* Let a screen reader say a sentence, without moving the focus. */
  desk.announce = function (sentence) {
    let live = document.getElementById("orderDeskLive");
    if (!live) {
      live = document.createElement("div");
      live.id = "orderDeskLive";
      live.setAttribute("role", "status");
      document.body.appendChild(live);
    }
    live.textContent = sentence;
  };
})();
