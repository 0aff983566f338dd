#include "gateway/admin_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace spillway::gateway {

void write_backends(JsonWriter& out, const config::GatewayConfig& config,
                    std::span<const routing::BackendView> views, std::span<const std::string> lacks,
                    Wall now) {
    out.open_list();
    for (std::size_t i = 0; i < views.size(); ++i)
        write_fields(out, schema::BackendRow{config.backends[i], views[i], lacks[i], now}, schema::backend());
    out.close_list();
}

void append_lacks(std::string& out, const config::GatewayConfig& config, std::span<const std::string> lacks) {
    for (std::size_t i = 0; i < lacks.size(); ++i)
        if (!lacks[i].empty())
            out.append("backend ")
                .append(config.backends[i].name)
                .append(" has no token: ")
                .append(lacks[i]) += '\n';
}

void write_clients(JsonWriter& out, const quota::ClientQuotas& quotas) {
    const auto now = quota::read_clocks();
    out.open_list();
    for (const auto kind : {quota::SubjectKind::client, quota::SubjectKind::team})
        quotas.each(kind, [&](quota::Subject& s) {
            write_fields(out, schema::ClientRow{s, now}, schema::client());
        });
    out.close_list();
}

namespace {

/// A place as it is shown: the kind's number, a dash, the key in hexadecimal digits.
std::string place_text(const quota::Subject& s) {
    std::string out = fmt::format("{}-", static_cast<unsigned>(s.kind()));
    for (const char c : s.key()) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return out;
}

std::optional<quota::ClientQuotas::Place> place_of(std::string_view text) {
    if (text.size() < 2 || text[0] < '0' || text[0] > '3' || text[1] != '-' || text.size() % 2 != 0)
        return std::nullopt;
    quota::ClientQuotas::Place place{static_cast<quota::SubjectKind>(text[0] - '0'), {}};
    for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
        unsigned byte = 0;
        const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
        if (error != std::errc{} || end != text.data() + i + 2) return std::nullopt;
        place.key += static_cast<char>(byte);
    }
    return place;
}

}  // namespace

std::string clients_page(const quota::ClientQuotas& quotas, std::string_view after, std::size_t most) {
    const auto now = quota::read_clocks();
    const auto place = place_of(after);
    const auto subjects = quotas.page(place ? &*place : nullptr, most + 1);
    JsonWriter out;
    out.open().key("clients").open_list();
    for (std::size_t i = 0; i < std::min(most, subjects.size()); ++i)
        write_fields(out, schema::ClientRow{*subjects[i], now}, schema::client());
    out.close_list();
    if (subjects.size() > most && most > 0) out.key("next").value(place_text(*subjects[most - 1]));
    return out.close().take();
}

void write_totals(JsonWriter& out, std::span<const routing::BackendView> views, const Answers& answers,
                  std::int64_t in_flight) {
    write_fields(out, schema::TotalsRow{views, answers, in_flight}, schema::totals());
}

std::string config_json(const config::GatewayConfig& config, std::string_view version,
                        config::AdminRole role) {
    JsonWriter out;
    write_fields(out, schema::ConfigRow{config, version, role}, schema::configuration());
    return out.take() + '\n';
}

}  // namespace spillway::gateway
