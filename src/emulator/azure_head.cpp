#include "emulator/azure_head.hpp"

#include <fmt/format.h>

#include <array>

#include "http/message.hpp"

namespace spillway::emulator {
namespace {

class Lines {
public:
    explicit Lines(const HeadFacts& facts) : replaced_(facts.replaced) { out_.reserve(1024); }
    void add(std::string_view name, std::string_view value) {
        if (replaced_ == nullptr || !replaced_->contains(std::string(name)))
            http::append_field(out_, name, value);
    }
    void add(std::string_view name, std::int64_t value) {
        const fmt::format_int digits(value);
        add(name, std::string_view(digits.data(), digits.size()));
    }
    std::string take() && {
        if (replaced_ != nullptr)
            for (const auto& [name, value] : *replaced_) http::append_field(out_, name, value);
        return std::move(out_);
    }

private:
    const std::map<std::string, std::string>* replaced_;
    std::string out_;
};

void add_figures(Lines& lines, const QuotaDecision& q, bool resets) {
    if (q.limit_tokens < 0) {
        lines.add("azure-openai-deployment-utilization", fmt::format("{:.1f}%", q.utilization * 100));
        return;
    }
    lines.add("x-ratelimit-limit-requests", q.limit_requests);
    lines.add("x-ratelimit-limit-tokens", q.limit_tokens);
    lines.add("x-ratelimit-remaining-requests", q.remaining_requests);
    lines.add("x-ratelimit-remaining-tokens", q.remaining_tokens);
    if (!resets) return;
    lines.add("x-ratelimit-reset-requests", whole_seconds(q.reset_requests));
    lines.add("x-ratelimit-reset-tokens", whole_seconds(q.reset_tokens));
}

}  // namespace

std::int64_t whole_seconds(Duration d) noexcept {
    return std::chrono::ceil<std::chrono::seconds>(d).count();
}

std::string imf_fixdate(std::chrono::sys_seconds t) {
    using namespace std::chrono;
    static constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<std::chrono::days>(t);
    const year_month_day date(day);
    const hh_mm_ss time(t - day);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", days.at(weekday(day).c_encoding()),
                       static_cast<unsigned>(date.day()), months.at(static_cast<unsigned>(date.month()) - 1),
                       static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                       time.seconds().count());
}

std::string azure_head(const HeadFacts& f) {
    Lines lines(f);
    lines.add("cache-control", "no-cache, must-revalidate");
    lines.add("content-type", f.content_type);
    lines.add("apim-request-id", f.apim_request_id);
    lines.add("strict-transport-security", "max-age=31536000; includeSubDomains; preload");
    lines.add("x-content-type-options", "nosniff");
    lines.add("x-ms-region", f.region);
    if (f.retry_after) {
        lines.add("retry-after", whole_seconds(*f.retry_after));
        lines.add("retry-after-ms", std::chrono::ceil<std::chrono::milliseconds>(*f.retry_after).count());
    }
    if (f.quota != nullptr) add_figures(lines, *f.quota, f.retry_after.has_value());
    if (!f.session.empty()) lines.add("azureml-model-session", f.session);
    lines.add("x-accel-buffering", "no");
    if (!f.request_id.empty()) lines.add("x-request-id", f.request_id);
    lines.add("x-ms-client-request-id",
              f.client_request_id.empty() ? f.apim_request_id : f.client_request_id);
    lines.add("date", f.date);
    return std::move(lines).take();
}

}  // namespace spillway::emulator
