#include "config/claim_codecs.hpp"

#include <fmt/format.h>

#include "config/listen.hpp"

namespace spillway::config::codec {

void Conditions::read(yaml::MapReader& reader, std::string_view key, ClaimConditions& out) const {
    const auto item = reader.map(key);
    if (!item) return;
    yaml::MapReader map(reader.context(), *item);
    for (const auto& [claim, value] : map.pairs()) {
        std::vector<std::string> wanted;
        if (value.node.IsScalar() && !value.node.Scalar().empty())
            wanted.push_back(value.node.Scalar());
        else if (value.node.IsSequence())
            TextList{"expected a value or a list of values", "expected a claim's value"}.read(map, claim,
                                                                                              wanted);
        if (claim.empty() || wanted.empty())
            map.error(claim, "expected a claim's name with the value, or a list of the values, it may have");
        else
            out.insert_or_assign(claim, std::move(wanted));
    }
}

OptionalValue Conditions::show(const ClaimConditions& value) const {
    if (value.empty()) return std::nullopt;
    Value out = Value::map();
    for (const auto& [claim, wanted] : value) {
        Value list = Value::list();
        for (const auto& one : wanted) list.add({}, Value::quoted(one));
        out.add(Value::quoted(claim).text, std::move(list));
    }
    return out;
}

void SafeUrl::read(yaml::MapReader& reader, std::string_view key, std::string& out) const {
    const auto text = reader.scalar(key, "expected an https:// URL");
    if (!text) return;
    const auto url = parse_backend_url(*text);
    if (!url) return reader.error(key, url.error().message);
    if (!url->tls && !is_loopback(url->host))
        return reader.error(key, fmt::format("is not https: {}", danger));
    out = *text;
}

}  // namespace spillway::config::codec
