/* What the page's scripts share: `window.orderDeskPage`. Only the checks read this file. */
export {};

declare global {
  interface OrderDeskPage {
    base: string;
    theme(): string;
    go(address: string): void;
    hear(): void;
    open(id: string): boolean;
    searchToken(): string;
    pages(): { name: string; address: string }[];
    onKey(event: KeyboardEvent): void;
    onSearch(): void;
  }

  interface Hit {
    kind: string;
    title: string;
    detail: string;
    address: string;
  }

  interface Window {
    orderDeskPage: OrderDeskPage;
    __streamlit: { BACKEND_BASE_URL: string; HOST_CONFIG: object };
  }
}
