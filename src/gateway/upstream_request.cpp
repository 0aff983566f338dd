#include "gateway/upstream_request.hpp"

#include <fmt/format.h>

#include "api/hop_by_hop.hpp"
#include "gateway/request_fields.hpp"

namespace spillway::gateway {
namespace {

/// The raw text of the body's `model`, without quotes: equal to a name only if it needs no unescaping.
std::string_view model_in(const api::RequestScan& scan, std::string_view body) noexcept {
    if (scan.model_span.length < 2) return {};
    return body.substr(scan.model_span.offset + 1, scan.model_span.length - 2);
}

}  // namespace

bool UpstreamRequest::write(const Asked& asked, const http::RequestHead& head, std::string_view body,
                            const UpstreamTarget& to, Wall now) {
    const config::BackendConfig& b = to.backend;
    const api::Dialect& dialect = api::dialect(b.kind);
    const std::string_view deployment = config::resolve_deployment(b, asked.deployment);

    head_.assign(head.method).append(" ").append(to.absolute);
    dialect.append_target(head_, b.url.base_path, asked.route, deployment);
    head_.append(" HTTP/1.1\r\n").append(to.host_line);
    if (!to.credential.append_auth_header(head_, now)) return false;
    if (!b.organization.empty()) http::append_field(head_, "OpenAI-Organization", b.organization);
    if (!b.project.empty()) http::append_field(head_, "OpenAI-Project", b.project);
    api::append_end_to_end(head_, head.fields, [&](std::string_view name) {
        return !goes_up(name) || to.clients.is_naming_field(name);
    });
    http::append_field(head_, "x-request-id", asked.id);

    body_.clear();
    added_usage_ = false;
    if (asked.scanned) {
        const bool in_path = dialect.deployment_in_path(b.url.base_path, asked.route);
        const std::string_view model =
            !in_path && deployment != model_in(asked.scan, body) ? deployment : std::string_view();
        added_usage_ = to.ask_usage && asked.operation().usage_chunk && asked.scan.stream &&
                       !asked.scan.include_usage && !asked.scan.has_data_sources;
        body_ = api::edited(body, asked.scan, model, added_usage_, edits_);
    } else if (asked.form_model.present()) {
        write_form(asked, body, deployment);
    } else if (!body.empty()) {
        body_.push_back(body);
    }
    const std::size_t size = api::total_size(body_);
    if (size > 0 || head.framing != http::Framing::none || head.method == "POST") {
        const auto digits = fmt::format_int(size);
        http::append_field(head_, "content-length", {digits.data(), digits.size()});
    }
    head_.append("\r\n");
    return true;
}

void UpstreamRequest::write_form(const Asked& asked, std::string_view body, std::string_view model) {
    const api::Span& span = asked.form_model;
    body_.push_back(body.substr(0, span.offset));
    edits_.assign(model);
    body_.push_back(edits_);
    body_.push_back(body.substr(span.offset + span.length));
}

void UpstreamRequest::clear() {
    constexpr std::size_t most = 16 * 1024;
    for (std::string* text : {&head_, &edits_}) {
        if (text->capacity() > most) *text = {};
        text->clear();
    }
    body_.clear();
    added_usage_ = false;
}

}  // namespace spillway::gateway
