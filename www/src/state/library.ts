// Profiles that a person saved in this browser, by their names. Never with secrets.

import { Store, kept } from "./store";
import { MOST, examine, lackingOf, named, sameProfile, type NamedProfile } from "./named";

class Library extends Store {
  #profiles: NamedProfile[] | undefined;

  get profiles(): readonly NamedProfile[] {
    return (this.#profiles ??= read(kept.get("profiles")));
  }

  start(): void {
    addEventListener("storage", (event) => {
      if (event.key !== "muster.profiles" && event.key !== null) return;
      this.#profiles = undefined;
      this.changed();
    });
  }

  get names(): Set<string> {
    return new Set(this.profiles.map(({ name }) => name));
  }

  find(name: string): NamedProfile | undefined {
    return this.profiles.find((profile) => profile.name === name);
  }

  /** What saving it would do. */
  would(profile: NamedProfile): "add" | "replace" | "same" {
    const there = this.find(profile.name);
    return there === undefined ? "add" : sameProfile(there, bare(profile)) ? "same" : "replace";
  }

  /** In the place of those with the same names. False if the browser does not keep it, or there are too many. */
  save(...profiles: readonly NamedProfile[]): boolean {
    const all = [...this.profiles];
    for (const profile of profiles.map(bare)) {
      const at = all.findIndex(({ name }) => name === profile.name);
      if (at < 0) all.push(profile);
      else all[at] = profile;
    }
    return all.length <= MOST.profiles && this.#write(all);
  }

  rename(name: string, to: string): boolean {
    if (to === name || this.find(to) !== undefined) return to === name;
    return this.#write(this.profiles.map((profile) => (profile.name === name ? { ...profile, name: to } : profile)));
  }

  /** Returns what puts it back where it was. */
  remove(name: string): () => void {
    const before = [...this.profiles];
    const at = before.findIndex((profile) => profile.name === name);
    const gone = before[at];
    this.#write(before.filter((profile) => profile.name !== name));
    return () => {
      if (gone === undefined || this.find(name) !== undefined) return;
      const now = [...this.profiles];
      now.splice(at, 0, gone);
      this.#write(now);
    };
  }

  #write(profiles: NamedProfile[]): boolean {
    const done = kept.set("profiles", JSON.stringify(profiles));
    if (done) this.#profiles = profiles;
    this.changed();
    return done;
  }
}

/** Once more without secrets, wherever it came from. */
function bare({ name, missing, ...plan }: NamedProfile): NamedProfile {
  const profile = named(name, plan);
  return { ...profile, missing: lackingOf(plan.platform, plan.world, profile.settings, [...missing, ...profile.missing]) };
}

function read(text: string | null): NamedProfile[] {
  if (text === null) return [];
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return [];
  }
  const names = new Set<string>();
  const all = Array.isArray(list) ? list.flatMap((item: unknown) => examine(item, "file").profile ?? []) : [];
  return all.filter(({ name }) => !names.has(name) && names.add(name)).slice(0, MOST.profiles).map(bare);
}

export const library = new Library();
