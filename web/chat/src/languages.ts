// The languages beyond the usual ones: loaded when an answer has one of them.
import type { HLJSApi, Language } from "highlight.js";
import c from "highlight.js/lib/languages/c";
import clojure from "highlight.js/lib/languages/clojure";
import cmake from "highlight.js/lib/languages/cmake";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import dart from "highlight.js/lib/languages/dart";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import elixir from "highlight.js/lib/languages/elixir";
import fsharp from "highlight.js/lib/languages/fsharp";
import go from "highlight.js/lib/languages/go";
import graphql from "highlight.js/lib/languages/graphql";
import haskell from "highlight.js/lib/languages/haskell";
import http from "highlight.js/lib/languages/http";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import kotlin from "highlight.js/lib/languages/kotlin";
import latex from "highlight.js/lib/languages/latex";
import lua from "highlight.js/lib/languages/lua";
import makefile from "highlight.js/lib/languages/makefile";
import markdown from "highlight.js/lib/languages/markdown";
import matlab from "highlight.js/lib/languages/matlab";
import nginx from "highlight.js/lib/languages/nginx";
import objectivec from "highlight.js/lib/languages/objectivec";
import perl from "highlight.js/lib/languages/perl";
import php from "highlight.js/lib/languages/php";
import powershell from "highlight.js/lib/languages/powershell";
import protobuf from "highlight.js/lib/languages/protobuf";
import r from "highlight.js/lib/languages/r";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import scala from "highlight.js/lib/languages/scala";
import scss from "highlight.js/lib/languages/scss";
import swift from "highlight.js/lib/languages/swift";
import vbnet from "highlight.js/lib/languages/vbnet";
import xml from "highlight.js/lib/languages/xml";

/** Azure's language for resources (learn.microsoft.com/azure/azure-resource-manager/bicep/file). */
function bicep(h: HLJSApi): Language {
  const text = {
    scope: "string",
    variants: [{ begin: "'''", end: "'''" }, { begin: "'", end: "'", illegal: "\\n" }],
    contains: [h.BACKSLASH_ESCAPE, { scope: "subst", begin: /\$\{/, end: /\}/ }],
  };
  return {
    name: "Bicep",
    keywords: {
      keyword:
        "param var resource module output targetScope existing metadata type func import using for in if as from with assert provider",
      type: "string int bool object array",
      literal: "true false null",
    },
    contains: [
      text, h.C_LINE_COMMENT_MODE, h.C_BLOCK_COMMENT_MODE, h.C_NUMBER_MODE,
      { scope: "meta", begin: /@[A-Za-z.]+/ },
      { scope: "attr", begin: /^\s*[A-Za-z_]\w*(?=\s*:)/m },
      { scope: "title.function", begin: /\b[A-Za-z_]\w*(?=\()/ },
    ],
  };
}

/** The Kusto query language (learn.microsoft.com/kusto/query). */
function kql(h: HLJSApi): Language {
  return {
    name: "KQL",
    aliases: ["kusto"],
    keywords: {
      keyword:
        "let where project extend summarize by take top limit sort order asc desc join kind on union distinct count " +
        "render parse evaluate invoke mv-expand make-series materialize datatable print search find facet lookup sample " +
        "serialize range step from to and or not in has contains startswith endswith matches regex between",
      type: "string int long real bool datetime timespan dynamic guid decimal",
      literal: "true false null",
    },
    contains: [
      h.C_LINE_COMMENT_MODE, h.QUOTE_STRING_MODE, h.APOS_STRING_MODE,
      { scope: "number", begin: /\b\d+(\.\d+)?(d|h|m|s|ms)?\b/ },
      { scope: "operator", begin: /\|/ },
      { scope: "built_in", begin: /\b[a-z_]\w*(?=\()/ },
    ],
  };
}

export const languages = {
  bicep, c, clojure, cmake, cpp, css, dart, diff, dockerfile, elixir, fsharp, go, graphql, haskell, http, ini, java,
  kotlin, kql, latex, lua, makefile, markdown, matlab, nginx, objectivec, perl, php, powershell, protobuf, r, ruby, rust,
  scala, scss, swift, vbnet, xml,
};
