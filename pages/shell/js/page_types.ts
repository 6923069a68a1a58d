/* What the page's scripts share: `window.orderDeskPage`. Only the checks read this file. */
export {};

declare global {
  interface OrderDeskPage {
    base: string;
    theme(): string;
    go(address: string): void;
    hear(): void;
    isPlain(event: MouseEvent): boolean;
    open(id: string): boolean;
    searchToken(): string;
    pages(): { name: string; address: string }[];
    isPhone(): boolean;
    fits(line: Element, items: Element[], room: number): boolean;
    tuck(
      line: Element,
      items: Element[],
      yielding: Iterable<Element>,
      room: number,
      button: Element | null
    ): Set<Element>;
    fitPages(): void;
    onKey(event: KeyboardEvent): void;
    onSearch(): void;
    rememberList(id: string, view: object): void;
  }

  interface Hit {
    title: string;
    detail: string;
    match: string; /* what was found where, if the title does not show it */
    address: string;
  }

  interface HitGroup {
    kind: string;
    count: string; /* such as 5 of 1,234 */
    hits: Hit[];
  }

  /* A list that orders were opened from: the text of its view, and the orders. */
  interface List {
    view: string;
    orders: string[];
  }

  /* The row before or after one: its key, and how the screen shows it. */
  type Neighbour = { key: string; shown: string } | null;

  interface Window {
    orderDeskPage: OrderDeskPage;
    __streamlit: { BACKEND_BASE_URL: string; HOST_CONFIG: object };
  }
}
