#include "identity/web_fetch.hpp"

#include <fmt/format.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "base/loop.hpp"
#include "config/backend.hpp"
#include "config/egress_proxy.hpp"

namespace spillway::identity {
namespace {

struct Target {
    config::BackendUrl url;
    std::string path;
};

WebResult<Target> parse(const std::string& url) {
    const std::size_t query = std::min(url.find('?'), url.size());
    auto parsed = config::parse_backend_url(url.substr(0, query));
    if (!parsed) return WebFailure{"the address " + parsed.error().message, false};
    Target out{std::move(*parsed), {}};
    out.path = out.url.base_path.empty() ? "/" : out.url.base_path;
    out.path += url.substr(query);
    return out;
}

http::OriginOptions origin_options(const config::BackendUrl& url, const WebOptions& options) {
    http::OriginOptions out;
    out.host = url.host;
    out.port = url.port;
    out.tls = url.tls;
    out.tls_ca_file = options.ca_file;
    out.connect_timeout = options.connect_timeout;
    out.max_idle = 0;
    if (const auto proxy =
            config::proxy_of_environment(url.tls, url.host, url.port, config::process_sources().env);
        proxy && *proxy)
        out.proxy = http::DialProxy{(*proxy)->host, (*proxy)->port, (*proxy)->authorization()};
    return out;
}

struct Fetching {
    const TokenRequest& request;
    const std::string& path;
    http::OriginOptions origin;
    Duration timeout;
    std::optional<http::NetResult<http::FetchedAnswer>> result;
};

Task<void> fetch(Loop& loop, Fetching& fetching) {
    http::Origin origin(loop, fetching.origin);
    std::vector<http::Field> fields;
    for (const auto& [name, value] : fetching.request.headers) fields.push_back({name, value});
    fetching.result = co_await http::fetch(origin, fetching.request.method, fetching.path, fields,
                                           fetching.request.body, fetching.timeout);
}

}  // namespace

void throw_exception_from_error(const WebFailure& e, const boost::source_location& /*where*/) {
    throw std::runtime_error(e.message);
}

WebResult<http::FetchedAnswer> web_fetch(const TokenRequest& request, const WebOptions& options,
                                         const std::stop_token& stop) {
    auto target = parse(request.url);
    if (!target) return target.error();
    const std::string host = target->url.authority();
    Fetching fetching{request, target->path, origin_options(target->url, options), options.timeout, {}};
    {
        Loop loop;
        loop.spawn(fetch(loop, fetching), [&loop](const std::exception_ptr&) { loop.stop(); });
        const std::stop_callback stopped(stop, [&loop] { loop.stop(); });
        loop.run();
    }
    auto& result = fetching.result;
    if (!result) return WebFailure{"stopped", false};
    if (!*result) {
        using Kind = http::NetError::Kind;
        const Kind kind = result->error().kind;
        const bool unreachable =
            kind == Kind::resolve || kind == Kind::connect || kind == Kind::timeout || kind == Kind::proxy;
        return WebFailure{fmt::format("{}: {}", host, result->error().message), unreachable};
    }
    return std::move(**result);
}

}  // namespace spillway::identity
