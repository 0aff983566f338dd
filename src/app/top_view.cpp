#include "app/top_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "base/bar.hpp"
#include "base/strings.hpp"
#include "base/utf8.hpp"

namespace spillway::app::top {
namespace {

constexpr std::array<std::string_view, 4> kOrders{"usual", "name", "open", "refused"};

/// Columns that a terminal gives a character: two in East Asian scripts and for pictures (Unicode TR11).
std::size_t columns_of(char32_t c) noexcept {
    const bool wide =
        (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
        (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
        (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    return wide ? 2 : 1;
}

/// Text of one column `width` wide. Control characters would move the cursor.
std::string cell(std::string_view text, std::size_t width, bool right = false) {
    std::string out;
    std::size_t used = 0;
    while (!text.empty()) {
        const auto point = front_code_point(text);
        const auto columns = columns_of(point.value);
        if (used + columns > width) break;
        used += columns;
        const bool control = point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0);
        if (control)
            out += '?';
        else if (point.value == 0xfffd)
            out += kReplacement;
        else
            out += text.substr(0, point.bytes);
        text.remove_prefix(point.bytes);
    }
    const std::string room(width - used, ' ');
    return right ? room + out : out + room;
}

std::string painted(std::string text, std::string_view code, const Look& look) {
    return look.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string_view colour_of(std::string_view state) noexcept {
    if (state == "available") return "32";
    if (state == "throttled" || state == "probing") return "33";
    return state == "disabled" || state == "draining" || state == "drained" ? "90" : "31";
}

std::string thousands(double number) {
    std::string digits = fmt::format("{:.0f}", std::max(0.0, number));
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
}

const Backend* same(const Frame* frame, std::string_view name) {
    if (!frame) return nullptr;
    const auto found = std::find_if(frame->backends.begin(), frame->backends.end(),
                                    [&](const Backend& b) { return b.name == name; });
    return found == frame->backends.end() ? nullptr : &*found;
}

std::string rate(std::uint64_t now, const std::uint64_t* before, double seconds) {
    if (!before || now < *before || seconds <= 0) return "–";
    return fmt::format("{:.1f}", static_cast<double>(now - *before) / seconds);
}

/// Cells from the most important one on, as many as there is room for.
class Row {
public:
    explicit Row(const Look& look) : look_(look) {}
    Row& left(std::string_view text, std::size_t width, std::string_view colour = {}) {
        return add(cell(text, width), width, colour);
    }
    Row& right(std::string_view text, std::size_t width) { return add(cell(text, width, true), width, {}); }
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    Row& add(std::string text, std::size_t width, std::string_view colour) {
        const std::size_t gap = used_ == 0 ? 0 : 1;
        full_ = full_ || used_ + gap + width > look_.columns;
        if (full_) return *this;
        used_ += gap + width;
        out_.append(gap, ' ');
        out_ += colour.empty() ? std::move(text) : painted(std::move(text), colour, look_);
        return *this;
    }

    const Look& look_;
    std::string out_;
    std::size_t used_ = 0;
    bool full_ = false;
};

constexpr std::size_t kNameWidth = 18;
constexpr std::size_t kReasonWidth = 20;

std::string backend_row(const Backend& b, const Frame* before, double seconds, const Look& look) {
    const Backend* old = same(before, b.name);
    const std::string wait = b.seconds_left > 0 ? fmt::format("{:.0f} s", b.seconds_left) : "";
    return Row(look)
        .left(b.name, kNameWidth)
        .left(b.state, 12, colour_of(b.state))
        .right(wait, 6)
        .right(std::to_string(b.priority), 4)
        .right(std::to_string(b.in_flight), 6)
        .right(rate(b.served, old ? &old->served : nullptr, seconds), 7)
        .right(rate(b.throttled, old ? &old->throttled : nullptr, seconds), 7)
        .right(rate(b.failed, old ? &old->failed : nullptr, seconds), 7)
        .right(std::to_string(b.served), 9)
        .right(std::to_string(b.throttled), 9)
        .right(std::to_string(b.failed), 7)
        .right(std::to_string(b.weight), 6)
        .left(b.reason, kReasonWidth)
        .take();
}

std::string backend_heads(const Look& look) {
    return painted(Row({look.columns, false, {}, {}})
                       .left("BACKEND", kNameWidth)
                       .left("STATE", 12)
                       .right("FOR", 6)
                       .right("PRIO", 4)
                       .right("OPEN", 6)
                       .right("OK/S", 7)
                       .right("429/S", 7)
                       .right("FAIL/S", 7)
                       .right("SERVED", 9)
                       .right("THROTTLED", 9)
                       .right("FAILED", 7)
                       .right("WEIGHT", 6)
                       .left("REASON", kReasonWidth)
                       .take(),
                   "1", look);
}

std::string deployment_row(const Deployment& d, const Look& look) {
    std::string out = "  " + cell(d.name, kNameWidth - 2) + ' ';
    if (!d.tpm || !d.remaining_tokens || *d.tpm <= 0)
        return fit(out + (d.tpm ? fmt::format("{} tokens a minute", thousands(*d.tpm)) : "quota not known"),
                   look.columns);
    const double used = 1 - std::clamp(*d.remaining_tokens / *d.tpm, 0.0, 1.0);
    const std::size_t width = look.columns > 90 ? 30 : 12;
    const std::string_view colour = used > 0.95 ? "31" : used > 0.75 ? "33" : "32";
    out += fmt::format("{} {:>3.0f} %  {} of {} tokens left", painted(bar(used, width), colour, look),
                       used * 100, thousands(*d.remaining_tokens), thousands(*d.tpm));
    if (d.reserved_tokens > 0) out += fmt::format(", {} reserved", thousands(d.reserved_tokens));
    return fit(out, look.columns);
}

std::string client_row(const Client& c, const Look& look) {
    std::string limit;
    if (c.token_limit && *c.token_limit > 0)
        limit = fmt::format("{} of {} tokens a minute", thousands(c.tokens_used), thousands(*c.token_limit));
    return Row(look)
        .left(c.name, 24)
        .left(c.kind, 8)
        .right(std::to_string(c.in_flight), 6)
        .right(thousands(static_cast<double>(c.tokens_last_minute)), 11)
        .right(std::to_string(c.refused), 8)
        .left(limit, look.columns > 61 ? std::min<std::size_t>(look.columns - 62, 44) : 1)
        .take();
}

template <class T>
std::vector<const T*> sorted(const std::vector<T>& all, const std::function<bool(const T&)>& shown,
                             const std::function<bool(const T&, const T&)>& less) {
    std::vector<const T*> out;
    for (const T& one : all)
        if (shown(one)) out.push_back(&one);
    std::stable_sort(out.begin(), out.end(), [&](const T* a, const T* b) { return less(*a, *b); });
    return out;
}

bool before_of(const Backend& a, const Backend& b, Order order) {
    switch (order) {
        case Order::name:
            return a.name < b.name;
        case Order::open:
            return a.in_flight > b.in_flight;
        case Order::refused:
            return a.throttled + a.failed > b.throttled + b.failed;
        case Order::usual:
            break;
    }
    return a.priority < b.priority;
}

bool before_of(const Client& a, const Client& b, Order order) {
    switch (order) {
        case Order::name:
            return a.name < b.name;
        case Order::open:
            return a.in_flight > b.in_flight;
        case Order::refused:
            return a.refused > b.refused;
        case Order::usual:
            break;
    }
    return a.tokens_last_minute != b.tokens_last_minute ? a.tokens_last_minute > b.tokens_last_minute
                                                        : a.name < b.name;
}

}  // namespace

std::string_view to_string(Order order) noexcept {
    return kOrders[static_cast<std::size_t>(order)];
}

std::optional<Order> find_order(std::string_view name) noexcept {
    const auto found = std::find(kOrders.begin(), kOrders.end(), name);
    if (found == kOrders.end()) return std::nullopt;
    return static_cast<Order>(found - kOrders.begin());
}

std::string fit(std::string_view line, std::size_t columns) {
    std::string out;
    std::size_t used = 0;
    bool coloured = false;
    while (!line.empty()) {
        if (line.starts_with("\x1b[")) {
            const auto end = std::min(line.find('m'), line.size() - 1) + 1;
            out += line.substr(0, end);
            coloured = !line.substr(0, end).ends_with("[0m");
            line.remove_prefix(end);
            continue;
        }
        const auto point = front_code_point(line);
        used += columns_of(point.value);
        if (used > columns) break;
        out += line.substr(0, point.bytes);
        line.remove_prefix(point.bytes);
    }
    if (coloured) out += "\x1b[0m";
    return out;
}

std::vector<std::string> draw(const Frame& frame, const Frame* before, const Look& look) {
    const double seconds = before ? to_seconds(frame.taken - before->taken) : 0;
    const auto backends = sorted<Backend>(
        frame.backends,
        [&](const Backend& b) {
            return icontains(b.name, look.filter) ||
                   std::any_of(b.deployments.begin(), b.deployments.end(),
                               [&](const auto& d) { return icontains(d.name, look.filter); });
        },
        [&](const Backend& a, const Backend& b) { return before_of(a, b, look.order); });
    const auto clients = sorted<Client>(
        frame.clients, [&](const Client& c) { return icontains(c.name, look.filter); },
        [&](const Client& a, const Client& b) { return before_of(a, b, look.order); });
    std::vector<std::string> out;
    out.push_back(backend_heads(look));
    for (const Backend* b : backends) {
        out.push_back(backend_row(*b, before, seconds, look));
        for (const Deployment& d : b->deployments) out.push_back(deployment_row(d, look));
    }
    if (clients.empty()) return out;
    out.emplace_back();
    out.push_back(painted(Row({look.columns, false, {}, {}})
                              .left("CLIENT", 24)
                              .left("KIND", 8)
                              .right("OPEN", 6)
                              .right("TOKENS/MIN", 11)
                              .right("REFUSED", 8)
                              .left("LIMIT", 5)
                              .take(),
                          "1", look));
    for (const Client* c : clients) out.push_back(client_row(*c, look));
    return out;
}

}  // namespace spillway::app::top
