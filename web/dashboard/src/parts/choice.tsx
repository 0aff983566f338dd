// One of a few.

interface Props<T extends string> {
  id: string;
  label: string;
  value: T;
  options: readonly [T, string][];
  set: (value: T) => void;
}

export function Choice<T extends string>({ id, label, value, options, set }: Props<T>) {
  return (
    <label class="choice" for={id}>
      {label}
      <select id={id} value={value} onChange={(e) => set(e.currentTarget.value as T)}>
        {options.map(([key, text]) => (
          <option key={key} value={key}>{text}</option>
        ))}
      </select>
    </label>
  );
}
