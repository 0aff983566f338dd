// Who is logged in by the provider; and the button that begins it.
import type { ComponentChildren } from "preact";
import { logInAddress, session } from "../session";
import { t } from "../strings";

const roles = { viewer: "role_viewer", operator: "role_operator", admin: "role_admin" } as const;

export function Who() {
  const one = session.value;
  if (!one || (one.by !== "oidc" && one.by !== "token")) return null;
  const role = roles[one.role as keyof typeof roles];
  return (
    <span class="who" title={t("logged_in_as", { name: one.name, role: t(role) })}>
      {one.name}
    </span>
  );
}

export function LogIn({ said }: { said: ComponentChildren }) {
  return (
    <div class="card login">
      {said}
      <p>{t("log_in_text")}</p>
      <button type="button" class="button primary" autofocus onClick={() => location.assign(logInAddress(location))}>
        {t("log_in")}
      </button>
    </div>
  );
}
