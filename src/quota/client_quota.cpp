#include "quota/client_quota.hpp"

#include <utility>

namespace spillway::quota {

Grant::Grant(Grant&& other) noexcept
    : quotas_(std::exchange(other.quotas_, nullptr)),
      subjects_(std::move(other.subjects_)),
      reserved_(std::move(other.reserved_)),
      at_(other.at_) {}

Grant& Grant::operator=(Grant&& other) noexcept {
    if (this == &other) return *this;
    release();
    quotas_ = std::exchange(other.quotas_, nullptr);
    subjects_ = std::move(other.subjects_);
    reserved_ = other.reserved_;
    at_ = other.at_;
    return *this;
}

void Grant::settle(const Amounts& used, Now now) noexcept {
    if (quotas_ == nullptr) return;
    for (Subject* subject : subjects_) subject->settle(reserved_, used, at_, now);
    quotas_->fair_.settle(reserved_.tokens, used.tokens, at_, now);
    quotas_ = nullptr;
}

void Grant::release() noexcept {
    settle({}, at_);
}

std::optional<Grant> ClientQuotas::admit(const Subjects& subjects, const Amounts& amounts, Now now,
                                         Refusal& refusal) noexcept {
    if (subjects.empty()) return Grant();
    if (!fair_.admits(*subjects.front(), amounts.tokens, now, refusal)) {
        if (!subjects.front()->shadow()) {
            subjects.front()->count_refusal();
            return std::nullopt;
        }
        subjects.front()->count_shadow_refusal();
    }
    for (auto it = subjects.begin(); it != subjects.end(); ++it) {
        if ((*it)->reserve(amounts, now, refusal)) continue;
        if (!refusal.lease_short) (*it)->count_refusal();
        while (it != subjects.begin()) (*--it)->undo(amounts, now);
        return std::nullopt;
    }
    fair_.reserve(amounts.tokens, now);
    Grant grant;
    grant.quotas_ = this;
    grant.subjects_ = subjects;
    grant.reserved_ = amounts;
    grant.at_ = now;
    return grant;
}

Subject& ClientQuotas::find_or_add(SubjectKind kind, std::string_view name, const SubjectLimits& limits,
                                   bool configured) {
    const std::lock_guard lock(mutex_);
    Map& map = by_kind_[static_cast<std::size_t>(kind)];
    auto found = map.find(name);
    if (found == map.end() && !configured && map.size() >= kMaxSubjects) {
        name = "_other";
        found = map.find(name);
    }
    if (found != map.end()) {
        if (configured) {
            found->second->set_limits(limits);
            generation_.fetch_add(1, std::memory_order_release);
        }
        return *found->second;
    }
    Subject& added = subjects_.emplace_back(kind, std::string(name));
    added.set_limits(limits);
    if (on_new_) on_new_(added);
    map.emplace(std::string(name), &added);
    generation_.fetch_add(1, std::memory_order_release);
    return added;
}

Subject* ClientQuotas::find(SubjectKind kind, std::string_view name) const {
    const std::lock_guard lock(mutex_);
    const Map& map = by_kind_[static_cast<std::size_t>(kind)];
    const auto found = map.find(name);
    return found == map.end() ? nullptr : found->second;
}

void ClientQuotas::each(const std::function<void(Subject&)>& visit) const {
    const std::lock_guard lock(mutex_);
    for (const Map& map : by_kind_)
        for (const auto& [name, subject] : map) visit(*subject);
}

void ClientQuotas::on_new(std::function<void(Subject&)> told) {
    const std::lock_guard lock(mutex_);
    on_new_ = std::move(told);
}

Terms terms(const Subjects& subjects, Now now) noexcept {
    Terms out;
    const auto tighten = [now](std::optional<Terms::Line>& line, Limit<MinuteUsage>& limit) {
        if (limit.limit() == 0) return;
        const std::int64_t left = limit.remaining(now);
        if (line && line->remaining <= left) return;
        line = Terms::Line{limit.limit(), left, limit.usage().until_empty(now)};
    };
    for (Subject* subject : subjects) {
        if (subject->shadow()) continue;
        tighten(out.requests, subject->requests());
        tighten(out.tokens, subject->tokens());
    }
    return out;
}

namespace {

// Whole names, whose lengths the compiler knows: these fields are in each answer.
struct RequestNames {
    static constexpr std::string_view limit = "x-ratelimit-limit-requests: ";
    static constexpr std::string_view remaining = "\r\nx-ratelimit-remaining-requests: ";
    static constexpr std::string_view reset = "\r\nx-ratelimit-reset-requests: ";
};
struct TokenNames {
    static constexpr std::string_view limit = "x-ratelimit-limit-tokens: ";
    static constexpr std::string_view remaining = "\r\nx-ratelimit-remaining-tokens: ";
    static constexpr std::string_view reset = "\r\nx-ratelimit-reset-tokens: ";
};

template <class Names>
void append_line(Pen& pen, const Terms::Line& line) {
    const std::int64_t seconds = std::chrono::ceil<std::chrono::seconds>(line.reset).count();
    pen.text(Names::limit);
    pen.number(line.limit);
    pen.text(Names::remaining);
    pen.number(line.remaining);
    pen.text(Names::reset);
    if (seconds >= 60) {
        pen.number(seconds / 60);
        pen.byte('m');
    }
    pen.number(seconds % 60);
    pen.text("s\r\n");
}

}  // namespace

void append_fields(Pen& pen, const Terms& terms) {
    if (terms.requests) append_line<RequestNames>(pen, *terms.requests);
    if (terms.tokens) append_line<TokenNames>(pen, *terms.tokens);
}

}  // namespace spillway::quota
