using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Orchestrator.ApiServer.Auth;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Resources;

namespace Orchestrator.ApiServer.Rest;

/// <summary>Questions about oneself: who am I, what may I do (<c>kubectl auth whoami</c>, <c>can-i</c>). Answered, never stored.</summary>
internal static class AccessReviews
{
    public static async Task AnswerAsync(HttpContext context, ResourceDefinition resource, Identity identity)
    {
        var body = await BodyReader.ObjectAsync(context.Request, resource, context.RequestAborted);
        if (body.Failed)
        {
            await Answer.StatusAsync(context, body.Failure);
            return;
        }

        var review = body.Value.Object;
        var spec = review["spec"] as JsonObject ?? [];
        review["status"] = resource.Kind switch
        {
            "SelfSubjectReview" => WhoAmI(identity),
            "SelfSubjectRulesReview" => Rules(identity, spec.Text("namespace")),
            _ => MayI(identity, spec),
        };
        review["metadata"] ??= new JsonObject();
        await Answer.NodeAsync(context, StatusCodes.Status201Created, review);
    }

    private static JsonObject WhoAmI(Identity identity) => new()
    {
        ["userInfo"] = new JsonObject { ["username"] = identity.Name, ["groups"] = Texts(identity.AllGroups) },
    };

    private static JsonObject MayI(Identity identity, JsonObject spec)
    {
        if (spec["resourceAttributes"] is not JsonObject wanted)
        {
            // Paths that are no resources are open to all who are known.
            return new JsonObject { ["allowed"] = spec["nonResourceAttributes"] is JsonObject && !identity.IsAnonymous };
        }

        var question = new AccessQuestion(
            wanted.Text("verb"), wanted.Text("group"), wanted.Text("resource"), wanted.Text("subresource"), wanted.Text("namespace"));
        var allowed = Authorizer.Allows(identity, question);
        var status = new JsonObject { ["allowed"] = allowed };
        if (!allowed)
        {
            status["reason"] = Authorizer.Explain(identity, question);
        }

        return status;
    }

    private static JsonObject Rules(Identity identity, string @namespace) => new()
    {
        ["resourceRules"] = new JsonArray(
        [
            .. Authorizer.RulesOf(identity)
                .Where(rule => rule.Namespace is null || rule.Namespace == @namespace)
                .Select(rule => new JsonObject
                {
                    ["verbs"] = Texts(rule.Verbs),
                    ["apiGroups"] = new JsonArray(rule.Group),
                    ["resources"] = Texts(rule.Resources),
                }),
        ]),
        ["nonResourceRules"] = new JsonArray(
            new JsonObject { ["verbs"] = new JsonArray("get"), ["nonResourceURLs"] = new JsonArray("*") }),
        ["incomplete"] = false,
    };

    private static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)text)];
}
