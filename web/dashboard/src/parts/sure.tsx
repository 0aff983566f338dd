// A question before something is changed.
import { config } from "../state";
import { t } from "../strings";
import { Dialog } from "./dialog";

interface Props {
  title: string;
  text: string;
  verb: string;
  run: () => void;
  close: () => void;
}

export function Sure({ title, text, verb, run, close }: Props) {
  return (
    <Dialog title={title} onClose={close}>
      <p>{text}</p>
      <p class="muted">{t(config.value?.store ? "is_kept" : "till_restart")}</p>
      <div class="row end">
        <button type="button" class="button" onClick={close}>{t("cancel")}</button>
        <button type="button" class="button primary"
          onClick={() => {
            run();
            close();
          }}>
          {verb}
        </button>
      </div>
    </Dialog>
  );
}
