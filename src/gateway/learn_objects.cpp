#include "gateway/learn_objects.hpp"

#include "api/work_state.hpp"
#include "base/find_text.hpp"
#include "gateway/placement.hpp"

namespace spillway::gateway {
namespace {

/// The services keep a response for 30 days (what is in a conversation goes by that one's id), and chats that
/// were to be stored longer than that.
constexpr auto kResponsesKept = std::chrono::days(35);
constexpr auto kChatsKept = std::chrono::days(400);

std::optional<Wall> expiry_of(std::string_view id, Wall now) {
    if (!api::is_short_lived(id)) return std::nullopt;
    return now + (id.starts_with("resp_") ? kResponsesKept : kChatsKept);
}

/// Whether the answer to a request is kept by the service under an id.
bool is_kept(const Asked& asked) noexcept {
    const api::Operation& operation = asked.operation();
    if (operation.keeps_if_asked) return asked.scan.store.value_or(false);
    return operation.makes_ids && asked.scan.store.value_or(true);
}

class Learner {
public:
    Learner(RequestParts& parts, routing::BackendIndex backend)
        : parts_(parts), asked_(parts.asked), at_(parts.upstreams.snapshot->resources[backend]) {}

    /// What was named is there.
    void saw_named() {
        for (const std::string& id : asked_.affinity.ids.view()) parts_.worker.writers.objects.seen(id, at_);
    }
    void made(std::string_view id) {
        parts_.worker.writers.objects.made(id, at_, owner(), expiry_of(id, parts_.clock.began()));
    }
    void found(std::string_view id) { parts_.worker.writers.objects.found(id, at_, owner()); }

    /// Of files, batches and what else is neither chat nor response.
    void learn_other(std::string_view answer) {
        const std::string_view method = parts_.exchange.request().method;
        const auto named = asked_.affinity.ids.view();
        if (method == "DELETE") {
            if (asked_.object.ends_in_id && asked_.object.ids == 1)
                parts_.worker.writers.objects.gone(named.front());
            return;
        }
        if (!asked_.object.known) return;
        api::IdList told;
        const api::ObjectAnswer object = api::read_object_answer(answer, told);
        if (object.list) {
            if (asked_.affinity.own)
                for (const std::string& id : told.view()) found(id);
            return;
        }
        const bool makes = method == "POST" && asked_.object.ids == 0;
        if (!object.id.empty() && makes)
            made(object.id);
        else if (!object.id.empty() && asked_.affinity.own)
            found(object.id);
        if (makes && asked_.object.makes) keeps_here();
        if (makes || asked_.affinity.own)
            for (const std::string& id : told.view()) found(id);
    }

private:
    [[nodiscard]] store::Owner owner() const { return owner_of(asked_); }

    void keeps_here() {
        if (parts_.upstreams.snapshot->isolated) return parts_.worker.writers.objects.keeps_at(owner(), at_);
        // Everyone's things meet in one place.
        store::Owner all;
        all.hash = 1;
        parts_.worker.writers.objects.keeps_at(all, at_);
    }

    RequestParts& parts_;
    Asked& asked_;
    const store::ResourceNumber at_;
};

}  // namespace

bool may_have_id(const Asked& asked) noexcept {
    return is_kept(asked) || asked.operation().makes_ids;
}

void learn_objects(RequestParts& parts, std::string_view answer, routing::BackendIndex backend) {
    const Asked& asked = parts.asked;
    const api::Operation& operation = asked.operation();
    Learner learner(parts, backend);
    learner.saw_named();
    if (operation.sealed_reasoning) {
        SessionAffinity& sealed = *parts.upstreams.snapshot->affinity;
        if (!asked.affinity.sealed.empty()) sealed.learn(asked.affinity.sealed, backend);
        sealed.learn_sealed(answer, backend);
    }
    if (operation.names_ids) return learner.learn_other(answer);
    if (!is_kept(asked)) return;
    if (const auto id = api::read_work_state(answer).id; !id.empty()) learner.made(id);
    // A container that a tool was given comes into being with the answer.
    if (!operation.sealed_reasoning || find_text(answer, "\"cntr_") == std::string_view::npos) return;
    api::IdList told;
    (void)api::read_object_answer(answer, told);
    for (const std::string& id : told.view())
        if (id.starts_with("cntr_")) learner.found(id);
}

void learn_location(RequestParts& parts, std::string_view location, routing::BackendIndex backend) {
    if (!parts.asked.operation().names_ids || parts.exchange.request().method != "POST") return;
    const std::string_view path = location.substr(0, location.find_first_of("?#"));
    const std::string_view id = path.substr(path.rfind('/') + 1);
    if (api::is_object_id(id)) Learner(parts, backend).found(id);
}

std::string_view learn_from_beginning(RequestParts& parts, std::string_view beginning,
                                      routing::BackendIndex backend) {
    const Asked& asked = parts.asked;
    Learner learner(parts, backend);
    learner.saw_named();
    if (!asked.affinity.sealed.empty())
        parts.upstreams.snapshot->affinity->learn(asked.affinity.sealed, backend);
    if (!may_have_id(asked)) return {};
    const bool kept = is_kept(asked);
    const std::string_view id = id_in_json(beginning);
    if (!id.empty() && kept && parts.exchange.request().method == "POST") {
        if (asked.operation().names_ids)
            learner.found(id);
        else
            learner.made(id);
    }
    return id;
}

}  // namespace spillway::gateway
