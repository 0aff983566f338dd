// Line icons, 20 × 20, decorative: what they mean is said by the control's label.
const paths = {
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  plus: "M10 4v12M4 10h12",
  close: "M5 5l10 10M15 5L5 15",
  send: "M10 16.5V4M4.5 9L10 3.5 15.5 9",
  stop: "M5.5 5.5h9v9h-9z",
  clip: "M16.5 9.5l-6.8 6.8a4.2 4.2 0 0 1-6-6l7.2-7.2a2.8 2.8 0 0 1 4 4l-7.1 7.1a1.4 1.4 0 0 1-2-2l6.3-6.3",
  copy: "M7.5 7.5h8v9h-8zM4.5 12.5v-9h8",
  redo: "M15.5 8A6 6 0 1 0 16 12M16 3.5V8h-4.5",
  edit: "M4 16l.8-3.6L13 4.2l2.8 2.8-8.2 8.2z",
  bulb: "M7.5 14.5c0-2-2.5-3-2.5-6a5 5 0 0 1 10 0c0 3-2.5 4-2.5 6zM8 17.5h4",
  left: "M12 4.5L6.5 10l5.5 5.5",
  right: "M8 4.5L13.5 10 8 15.5",
  down: "M4.5 8L10 13.5 15.5 8",
  gear: "M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2.5v2M10 15.5v2M2.5 10h2M15.5 10h2M4.7 4.7l1.4 1.4M13.9 13.9l1.4 1.4M4.7 15.3l1.4-1.4M13.9 6.1l1.4-1.4",
  trash: "M4 6h12M8 6V4h4v2M5.5 6l.8 10.5h7.4L14.5 6",
  file: "M5.5 2.5h6l3 3v12h-9zM11.5 2.5v3h3",
  keys: "M2.5 5.5h15v9h-15zM5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M6.5 11.5h7",
} as const;

export function Icon({ name }: { name: keyof typeof paths }) {
  return (
    <svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.7"
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function IconButton(props: {
  icon: keyof typeof paths;
  label: string;
  onClick?: () => void;
  class?: string;
  disabled?: boolean;
  expanded?: boolean;
}) {
  return (
    <button type="button" class={`icon-button ${props.class ?? ""}`} aria-label={props.label} title={props.label}
      aria-expanded={props.expanded} disabled={props.disabled} onClick={props.onClick}>
      <Icon name={props.icon} />
    </button>
  );
}
