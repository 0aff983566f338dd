// The configuration with its secrets hidden; backends to be taken out of use; clients and their keys.
import { config, now } from "../state";
import { t } from "../strings";
import { Actions, StateBadge } from "./backend";

function Backends() {
  return (
    <section aria-labelledby="backends-title">
      <h2 id="backends-title">{t("flow")}</h2>
      <p class="muted">{t("changes_hold")}</p>
      <div class="table" tabIndex={0} role="region" aria-labelledby="backends-title">
        <table id="config-backends">
          <thead>
            <tr>
              <th scope="col">{t("name")}</th>
              <th scope="col">{t("state")}</th>
              <th scope="col">{t("class")}</th>
              <th scope="col">{t("url")}</th>
              <th scope="col">{t("actions")}</th>
            </tr>
          </thead>
          <tbody>
            {(now.value?.backends ?? []).map((b) => (
              <tr key={b.name} data-backend={b.name}>
                <th scope="row">{b.name}</th>
                <td><StateBadge backend={b} /></td>
                <td class="number">{b.priority} ({t("weight", { n: b.weight })})</td>
                <td>{b.url}</td>
                <td><Actions backend={b} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Keys() {
  const all = config.value!;
  return (
    <section aria-labelledby="keys-title">
      <h2 id="keys-title">{t("keys")}</h2>
      <p class="muted">{t(all.anonymous ? "anonymous" : "keys_note")}</p>
      {!all.anonymous && (
        <div class="table" tabIndex={0} role="region" aria-labelledby="keys-title">
          <table id="keys">
            <thead>
              <tr>
                <th scope="col">{t("client")}</th>
                <th scope="col">{t("key_digests")}</th>
                <th scope="col">{t("team")}</th>
                <th scope="col">{t("class")}</th>
                <th scope="col">{t("deployments")}</th>
              </tr>
            </thead>
            <tbody>
              {all.clients.map((c) => (
                <tr key={c.name} data-client={c.name}>
                  <th scope="row">{c.name}</th>
                  <td>{c.keys.length > 0 ? c.keys.map((k) => <code key={k}>{k}… </code>) : t("no_key")}</td>
                  <td>{c.team || "–"}</td>
                  <td>{c.priority}</td>
                  <td>{c.deployments.join(", ") || t("all")}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function ConfigView() {
  return (
    <>
      <Backends />
      {config.value && (
        <>
          <Keys />
          <section aria-labelledby="text-title">
            <h2 id="text-title">{t("config_text")}</h2>
            <p class="muted">{t("config_note")} {t("version", { v: config.value.version })}</p>
            <pre class="card" id="config-text" tabIndex={0} role="region" aria-labelledby="text-title">{config.value.text}</pre>
          </section>
        </>
      )}
    </>
  );
}
