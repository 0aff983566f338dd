#include "config/store_url.hpp"

#include "base/hex.hpp"
#include "config/listen.hpp"

namespace spillway::config {
namespace {

/// What is behind `postgresql://`; empty if it does not begin so.
std::string_view behind_scheme(std::string_view url) {
    for (const std::string_view scheme : {"postgresql://", "postgres://"})
        if (url.starts_with(scheme)) return url.substr(scheme.size());
    return {};
}

/// Hosts and ports, behind `user:password@`.
std::string_view hosts_of(std::string_view rest) {
    if (const auto at = rest.find('@'); at != rest.npos) rest.remove_prefix(at + 1);
    return rest.substr(0, rest.find_first_of("/?"));
}

}  // namespace

std::string_view postgres_url_fault(std::string_view url) {
    const std::string_view rest = behind_scheme(url);
    if (rest.empty())
        return "expected a URL like postgresql://user:password@host/database?sslmode=verify-full";
    const auto at = rest.find('@');
    const bool misplaced =
        at != rest.npos && (at > rest.find_first_of("/?#") || rest.find('@', at + 1) != rest.npos);
    if (misplaced || !percent_decoded(rest))
        return "has a character that is to be percent-encoded in a password, such as @ (%40), / (%2F), "
               "? (%3F), # (%23), % (%25)";
    return {};
}

bool is_verified_or_near(std::string_view url) {
    if (url.find("sslmode=verify-full") != url.npos) return true;
    std::string_view hosts = hosts_of(behind_scheme(url));
    if (hosts.find(',') != hosts.npos) return false;
    if (hosts.starts_with('[')) {
        hosts = hosts.substr(1, hosts.find(']') - 1);
    } else {
        hosts = hosts.substr(0, hosts.find(':'));
    }
    if (hosts.empty() && url.find("host") != url.npos)  // host=… or hostaddr=… names it
        return url.find("host=/") != url.npos || url.find("host=%2F") != url.npos;
    return hosts.empty() || hosts.starts_with("%2F") || is_loopback(hosts);
}

}  // namespace spillway::config
