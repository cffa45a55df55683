// The browser's own notifications for new listings: off until the operator wishes, only while the tab is hidden.
import { name } from "./format";

const KEY = "notify-listings";

export function notifying(): boolean {
  try {
    return localStorage.getItem(KEY) === "on" && "Notification" in window && Notification.permission === "granted";
  } catch {
    return false;
  }
}

export function setNotifying(on: boolean): void {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Storage may be blocked; the choice then lasts as long as nothing.
  }
}

export const askToNotify = async (): Promise<boolean> => "Notification" in window && (await Notification.requestPermission()) === "granted";

/** A name from the venue is text here too; nothing is sent anywhere. */
export function tellListing(symbol: string, text: string, tag: string): void {
  if (document.hidden && notifying()) new Notification(name(symbol).slice(0, 40), { body: text, tag, icon: "/dashboard/icon.svg" });
}
