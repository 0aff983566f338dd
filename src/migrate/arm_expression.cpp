#include <fmt/format.h>

#include <algorithm>

#include "base/strings.hpp"
#include "migrate/arm.hpp"

namespace spillway::migrate::arm {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kLongest = 4096;
constexpr std::size_t kMostSteps = 10'000;  ///< of one value: variables may name each other over and over

Value nothing() {
    return Value(YAML::NodeType::Null);
}

std::optional<std::string> plain(const Value& v) {
    return v.IsDefined() && v.IsScalar() ? std::optional(v.Scalar()) : std::nullopt;
}

std::optional<std::uint64_t> number(const Value& v) {
    const auto s = plain(v);
    return s ? parse_int<std::uint64_t>(*s) : std::nullopt;
}

Value child(const Value& of, std::string_view key) {
    if (!of.IsDefined() || !of.IsMap()) return nothing();
    for (const auto& pair : of)  // names of ARM's differ in no letter's case
        if (pair.first.IsScalar() && iequals(pair.first.Scalar(), key)) return pair.second;
    return nothing();
}

Value at(const Value& of, std::size_t index) {
    return of.IsDefined() && of.IsSequence() && index < of.size() ? Value(of[index]) : nothing();
}

/// `{0}` and so on replaced.
Value formatted(const std::vector<Value>& args) {
    const auto pattern = args.empty() ? std::nullopt : plain(args[0]);
    if (!pattern) return nothing();
    std::string out;
    for (std::size_t i = 0; i < pattern->size(); ++i) {
        const auto close = (*pattern)[i] == '{' ? pattern->find('}', i) : std::string::npos;
        if (close == std::string::npos) {
            out += (*pattern)[i];
            continue;
        }
        const auto inside = std::string_view(*pattern).substr(i + 1, close - i - 1);
        const auto n = parse_int<std::size_t>(inside.substr(0, inside.find(':')));
        const auto value = n && *n + 1 < args.size() ? plain(args[*n + 1]) : std::nullopt;
        out += value.value_or(std::string(1, kUnknown));
        i = close;
        if (out.size() > kLongest) return nothing();
    }
    return Value(out);
}

Value joined(const std::vector<Value>& args, std::string_view between) {
    std::string out;
    for (const auto& arg : args) {
        if (out.size() > kLongest) return nothing();
        if (!out.empty()) out += between;
        out += plain(arg).value_or(std::string(1, kUnknown));
    }
    return Value(out);
}

Value all_lists(const std::vector<Value>& args) {
    Value out(YAML::NodeType::Sequence);
    for (const auto& arg : args)
        if (arg.IsDefined() && arg.IsSequence())
            for (const auto& item : arg) out.push_back(item);
    return out;
}

Value range(const std::vector<Value>& args) {
    constexpr std::uint64_t most = 1000;
    const auto start = args.size() == 2 ? number(args[0]) : std::nullopt;
    const auto count = args.size() == 2 ? number(args[1]) : std::nullopt;
    if (!start || !count || *count > most) return nothing();
    Value out(YAML::NodeType::Sequence);
    for (std::uint64_t i = 0; i < *count; ++i) out.push_back(std::to_string(*start + i));
    return out;
}

class Parser {
public:
    Parser(std::string_view text, const Scope& scope, int depth, std::size_t& steps)
        : text_(text), scope_(scope), depth_(depth), steps_(steps) {}

    Value run() { return expression(); }

private:
    void blanks() {
        while (at_ < text_.size() && trim(text_.substr(at_, 1)).empty()) ++at_;
    }
    bool consume(char c) {
        blanks();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    std::string word() {
        blanks();
        const auto start = at_;
        const auto part = [](char c) {
            const char l = ascii_lower(c);
            return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        };
        while (at_ < text_.size() && part(text_[at_])) ++at_;
        return std::string(text_.substr(start, at_ - start));
    }
    std::string literal() {
        std::string out;
        while (at_ < text_.size()) {
            const char c = text_[at_++];
            if (c == '\'' && !text_.substr(at_).starts_with('\'')) break;
            if (c == '\'') ++at_;
            out += c;
        }
        return out;
    }

    Value expression() {
        if (++depth_ > kDeepest || ++steps_ > kMostSteps) {
            at_ = text_.size();
            return nothing();
        }
        Value out;
        if (consume('\'')) {
            out.reset(Value(literal()));
        } else {
            auto name = word();
            if (consume('('))
                out.reset(call(name, arguments()));
            else
                out.reset(parse_int<std::int64_t>(name) || name == "true" || name == "false" ? Value(name)
                                                                                             : nothing());
        }
        for (;;) {
            if (consume('.')) {
                consume('?');
                out.reset(child(out, word()));
            } else if (consume('[')) {
                consume('?');
                const auto key = expression();
                consume(']');
                const auto index = number(key);
                out.reset(index ? at(out, *index) : child(out, plain(key).value_or("")));
            } else {
                break;
            }
        }
        --depth_;
        return out;
    }

    std::vector<Value> arguments() {
        std::vector<Value> out;
        if (consume(')')) return out;
        do out.push_back(expression());
        while (consume(','));
        consume(')');
        return out;
    }

    Value named(const std::map<std::string, Value>& from, const std::vector<Value>& args) {
        const auto name = args.empty() ? std::nullopt : plain(args[0]);
        if (!name) return nothing();
        for (const auto& [key, value] : from)
            if (iequals(key, *name)) return depth_ < kDeepest / 2 ? nested(value) : nothing();
        return nothing();
    }
    Value nested(const Value& value) {
        const auto s = plain(value);
        if (!s || !s->starts_with('[') || s->starts_with("[[") || !s->ends_with(']')) return value;
        return Parser(std::string_view(*s).substr(1, s->size() - 2), scope_, depth_ + 2, steps_).run();
    }

    Value call(const std::string& name, const std::vector<Value>& args) {
        if (iequals(name, "parameters")) return named(scope_.parameters, args);
        if (iequals(name, "variables")) return named(scope_.variables, args);
        if (iequals(name, "copyIndex")) return copy_index(args);
        if (iequals(name, "format")) return formatted(args);
        if (iequals(name, "concat"))
            return !args.empty() && args[0].IsDefined() && args[0].IsSequence() ? all_lists(args)
                                                                                : joined(args, "");
        if (iequals(name, "resourceId") || iequals(name, "extensionResourceId")) return joined(args, "/");
        if (iequals(name, "range")) return range(args);
        if (iequals(name, "length") && args.size() == 1 && args[0].IsDefined())
            return Value(std::to_string(args[0].IsScalar() ? args[0].Scalar().size() : args[0].size()));
        if (iequals(name, "createArray")) {
            Value out(YAML::NodeType::Sequence);
            for (const auto& arg : args) out.push_back(arg);
            return out;
        }
        if (iequals(name, "createObject")) {
            Value out(YAML::NodeType::Map);
            for (std::size_t i = 0; i + 1 < args.size(); i += 2)
                if (const auto key = plain(args[i])) out[*key] = args[i + 1];
            return out;
        }
        if (iequals(name, "coalesce")) {
            const auto first = std::find_if(args.begin(), args.end(),
                                            [](const Value& v) { return v.IsDefined() && !v.IsNull(); });
            return first == args.end() ? nothing() : *first;
        }
        if (iequals(name, "tryGet")) return found_in(args);
        if (iequals(name, "if") && args.size() == 3) {
            const auto condition = plain(args[0]);
            return !condition ? nothing() : iequals(*condition, "true") ? args[1] : args[2];
        }
        const auto one = args.empty() ? std::nullopt : plain(args[0]);
        if (!one) return nothing();
        if (iequals(name, "replace") && args.size() == 3)
            return replaced(*one, plain(args[1]), plain(args[2]));
        if (iequals(name, "toLower") || iequals(name, "string") || iequals(name, "int") ||
            iequals(name, "trim") || iequals(name, "uri"))
            return changed(name, *one, args);
        return nothing();
    }

    /// What Bicep makes of `config.?priority`.
    Value found_in(const std::vector<Value>& args) {
        Value out;
        out.reset(args.empty() ? nothing() : args[0]);
        for (std::size_t i = 1; i < args.size(); ++i) {
            const auto index = number(args[i]);
            out.reset(index ? at(out, *index) : child(out, plain(args[i]).value_or("")));
        }
        return out;
    }

    static Value replaced(std::string text, const std::optional<std::string>& from,
                          const std::optional<std::string>& to) {
        if (!from || !to || from->empty()) return nothing();
        for (std::size_t i = text.find(*from); i != text.npos && text.size() < kLongest;
             i = text.find(*from, i + to->size()))
            text.replace(i, from->size(), *to);
        return Value(text);
    }

    static Value changed(const std::string& name, const std::string& one, const std::vector<Value>& args) {
        if (iequals(name, "uri")) {
            const auto rest = args.size() == 2 ? plain(args[1]) : std::nullopt;
            return rest ? Value(one + (one.ends_with('/') ? "" : "/") + *rest) : nothing();
        }
        auto out = iequals(name, "trim") ? std::string(trim(one)) : one;
        if (iequals(name, "toLower")) std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
        return Value(out);
    }

    Value copy_index(const std::vector<Value>& args) {
        const auto name = args.empty() ? std::nullopt : plain(args[0]);
        const auto offset = args.empty() ? 0 : number(args.back()).value_or(0);
        const auto loop = scope_.loops.find(name.value_or(""));
        const auto index = loop == scope_.loops.end() ? scope_.loop : loop->second;
        return Value(std::to_string(index + offset));
    }

    std::string_view text_;
    const Scope& scope_;
    int depth_;
    std::size_t& steps_;
    std::size_t at_ = 0;
};

}  // namespace

Value resolve(const YAML::Node& value, const Scope& scope) {
    const auto s = plain(value);
    if (!s || !s->starts_with('[') || !s->ends_with(']')) return value;
    if (s->starts_with("[[")) return Value(s->substr(1));
    std::size_t steps = 0;
    return Parser(std::string_view(*s).substr(1, s->size() - 2), scope, 0, steps).run();
}

std::optional<std::string> text(const YAML::Node& value, const Scope& scope) {
    if (!value.IsDefined()) return std::nullopt;
    return plain(resolve(value, scope));
}

}  // namespace spillway::migrate::arm
