#include "quota/client_quota.hpp"

#include <algorithm>
#include <utility>

namespace spillway::quota {

Grant::Grant(Grant&& other) noexcept
    : quotas_(std::exchange(other.quotas_, nullptr)),
      subjects_(std::move(other.subjects_)),
      limited_(other.limited_),
      reserved_(other.reserved_),
      at_(other.at_),
      in_flight_(other.in_flight_) {}

Grant& Grant::operator=(Grant&& other) noexcept {
    if (this == &other) return *this;
    release();
    quotas_ = std::exchange(other.quotas_, nullptr);
    subjects_ = std::move(other.subjects_);
    limited_ = other.limited_;
    reserved_ = other.reserved_;
    at_ = other.at_;
    in_flight_ = other.in_flight_;
    return *this;
}

void Grant::settle(const Amounts& used, Now now) noexcept {
    if (quotas_ == nullptr) return;
    const Settlement end{reserved_, used, at_, now, period_indices(now.wall), in_flight_};
    for (std::size_t i = 0; i < subjects_.size(); ++i) subjects_[i]->settle(end, limited_[i]);
    quotas_->fair_.settle(reserved_.tokens, used.tokens, at_, now, in_flight_);
    quotas_ = nullptr;
}

void Grant::leave_flight() noexcept {
    if (quotas_ == nullptr || !std::exchange(in_flight_, false)) return;
    for (Subject* subject : subjects_) subject->leave_flight(at_);
    quotas_->fair_.leave_flight(at_);
}

void Grant::undo() noexcept {
    if (quotas_ == nullptr) return;
    for (std::size_t i = 0; i < subjects_.size(); ++i) subjects_[i]->undo(reserved_, limited_[i], at_);
    quotas_->fair_.undo(reserved_.tokens, at_);
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
    Grant grant;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        if (const auto limited = subjects[i]->reserve(amounts, now, refusal)) {
            grant.limited_[i] = *limited;
            continue;
        }
        if (!refusal.lease_short) subjects[i]->count_refusal();
        while (i-- > 0) subjects[i]->undo(amounts, grant.limited_[i], now);
        return std::nullopt;
    }
    fair_.reserve(amounts.tokens, now);
    grant.quotas_ = this;
    grant.subjects_ = subjects;
    grant.reserved_ = amounts;
    grant.at_ = now;
    grant.in_flight_ = true;
    return grant;
}

bool ClientQuotas::add_user(Grant& grant, const SubjectRef& user, Now now, Refusal& refusal) noexcept {
    if (!grant) return true;
    std::optional<LimitedPeriods> admitted;
    if (user == nullptr) {
        refusal = {};
        refusal.subject = grant.subjects_.front();
        refusal.reason = Reason::users_full;
        refusal.limit = kMaxUsers;
        refusal.retry_in = std::chrono::seconds(MinuteUsage::kSpanSeconds);
        grant.subjects_.front()->count_refusal();
    } else {
        admitted = user->reserve(grant.reserved_, now, refusal);
        if (!admitted && !refusal.lease_short) user->count_refusal();
    }
    if (!admitted) {
        grant.undo();
        return false;
    }
    grant.limited_[grant.subjects_.size()] = *admitted;
    grant.subjects_.push_back(user);
    return true;
}

Subject& ClientQuotas::add(SubjectKind kind, std::string_view owner, std::string_view name,
                           const SubjectLimits& limits) {
    Subject& added = subjects_.emplace_back(kind, owner, name);
    added.set_limits(limits);
    if (on_new_) on_new_(added);
    by_kind_[static_cast<std::size_t>(kind)].emplace(added.key(), &added);
    if (kind == SubjectKind::user) ++users_of_[std::string(owner)];
    generation_.fetch_add(1, std::memory_order_release);
    return added;
}

/// Under the lock. `set`: the limits are to count from now on.
Subject& ClientQuotas::present(SubjectKind kind, std::string_view name, const SubjectLimits& limits, bool set,
                               std::uint32_t configured) {
    Map& map = by_kind_[static_cast<std::size_t>(kind)];
    const auto found = map.find(name);
    Subject& subject = found != map.end() ? *found->second : add(kind, {}, name, limits);
    if (set) {
        if (found != map.end()) subject.set_limits(limits);
        generation_.fetch_add(1, std::memory_order_release);
    }
    subject.configured_ = configured;
    subject.leaving_ = false;
    return subject;
}

Subject& ClientQuotas::find_or_add(SubjectKind kind, std::string_view name, const SubjectLimits& limits,
                                   bool configured) {
    const std::lock_guard lock(mutex_);
    return present(kind, name, limits, configured, configuration_);
}

SubjectRef ClientQuotas::key(std::string_view id, const SubjectLimits* limits) {
    const std::lock_guard lock(mutex_);
    return &present(SubjectKind::key, id, limits != nullptr ? *limits : SubjectLimits{}, limits != nullptr,
                    kKept);
}

void ClientQuotas::release(Subject* key) noexcept {
    const std::lock_guard lock(mutex_);
    if (key != nullptr) key->configured_ = 0;
}

SubjectRef ClientQuotas::user(std::string_view owner, std::string_view name, const SubjectLimits& limits,
                              Now now) {
    const std::string key = Subject::key_of(owner, name);
    const std::lock_guard lock(mutex_);
    const Map& users = by_kind_[static_cast<std::size_t>(SubjectKind::user)];
    if (const auto found = users.find(key); found != users.end()) {
        // Who comes back while it was to be forgotten is shared again.
        if (std::exchange(found->second->leaving_, false))
            generation_.fetch_add(1, std::memory_order_release);
        return found->second;
    }
    const auto full = [&] {
        const auto own = users_of_.find(owner);
        return users.size() >= kMaxUsers ||
               (own != users_of_.end() && own->second >= kMaxUsers - users.size());
    };
    forget_some(now, kFewLooks);
    if (full()) forget_some(now, kManyLooks);
    if (full()) return {};
    return &add(SubjectKind::user, owner, name, limits);
}

void ClientQuotas::begin_configuration() noexcept {
    const std::lock_guard lock(mutex_);
    ++configuration_;
}

bool ClientQuotas::may_go(Subject& subject, Now now) const noexcept {
    if (subject.kind() == SubjectKind::user) return subject.idle(now);
    return subject.configured_ != kKept && subject.configured_ != configuration_ && subject.quiet(now);
}

/// Who is held by nobody goes at once. A store that shares limits holds all; it lets go of those that are
/// leaving, and they go the next time.
std::size_t ClientQuotas::forget_some(Now now, std::size_t most) {
    for (std::size_t left = std::min(most, subjects_.size()); left > 0 && !subjects_.empty(); --left) {
        if (hand_ == subjects_.end()) hand_ = subjects_.begin();
        const auto at = hand_++;
        if (!may_go(*at, now)) {
            if (std::exchange(at->leaving_, false)) generation_.fetch_add(1, std::memory_order_release);
            continue;
        }
        if (at->holders_.load(std::memory_order_acquire) == 0) {
            erase(at);
        } else if (!at->leaving_) {
            at->leaving_ = true;
            generation_.fetch_add(1, std::memory_order_release);
        }
    }
    return subjects_.size();
}

void ClientQuotas::erase(List::iterator subject) {
    by_kind_[static_cast<std::size_t>(subject->kind())].erase(subject->key());
    if (subject->kind() == SubjectKind::user) {
        const auto own = users_of_.find(subject->owner());
        if (own != users_of_.end() && --own->second == 0) users_of_.erase(own);
    }
    subjects_.erase(subject);
}

std::size_t ClientQuotas::forget(Now now, std::size_t most) {
    const std::lock_guard lock(mutex_);
    return forget_some(now, most);
}

std::size_t ClientQuotas::size() const {
    const std::lock_guard lock(mutex_);
    return subjects_.size();
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
        for (const auto& [name, subject] : map)
            if (!subject->leaving_) visit(*subject);
}

void ClientQuotas::each(SubjectKind kind, const std::function<void(Subject&)>& visit) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, subject] : by_kind_[static_cast<std::size_t>(kind)]) visit(*subject);
}

std::vector<SubjectRef> ClientQuotas::page(const Place* after, std::size_t most) const {
    std::vector<SubjectRef> out;
    const std::lock_guard lock(mutex_);
    const auto first = after != nullptr ? static_cast<std::size_t>(after->kind) : 0;
    for (std::size_t kind = first; kind < by_kind_.size() && out.size() < most; ++kind) {
        std::vector<Subject*> found;
        for (const auto& [key, subject] : by_kind_[kind])
            if (after == nullptr || kind != first || key > after->key) found.push_back(subject);
        const std::size_t count = std::min(most - out.size(), found.size());
        std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end(),
                          [](const Subject* a, const Subject* b) { return a->key() < b->key(); });
        out.insert(out.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return out;
}

void ClientQuotas::on_new(std::function<void(Subject&)> call) {
    const std::lock_guard lock(mutex_);
    on_new_ = std::move(call);
}

Terms terms(const Subjects& subjects, Now now) noexcept {
    Terms out;
    const auto tighten = [now](std::optional<Terms::Line>& line, auto& limit) {
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
