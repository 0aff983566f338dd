import { render } from "preact";
import "../../shared/base.css";
import "./styles.css";
import "./keys.css";
import { keepFocus } from "../../shared/focus";
import { App } from "./app";
import { start } from "./state";

render(<App />, document.getElementById("app")!);
keepFocus();
start();
