// The page that a server gives: what it asks goes to that server.
import { takeKeyFromAddress } from "./api/key.ts";
import { startPage } from "./start-page.tsx";

takeKeyFromAddress();
startPage();
