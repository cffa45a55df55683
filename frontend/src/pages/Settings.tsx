import { ApiTokens } from "../panels/ApiTokens";
import { Notifications } from "../panels/Notifications";
import { SignedIn } from "../panels/SignedIn";
import { ThisBrowser } from "../panels/ThisBrowser";

/** Access and messages. What the bot may trade stands under Risk. */
export function Settings() {
  return (
    <>
      <h1 className="sr-only">Settings</h1>
      <div className="mx-auto grid max-w-[920px] gap-3">
        <Notifications />
        <ApiTokens />
        <SignedIn />
        <ThisBrowser />
      </div>
    </>
  );
}
