using System.Text.Json.Nodes;
using k8s;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>An app in a namespace of its own, and the hand of the controller that is not there.</summary>
internal sealed class AppUnderTest(ServerFixture server, string space)
{
    /// <summary>As the server prints it.</summary>
    public const string Label = "webapp.orchestrator.dev/web";

    public string Space => space;

    /// <param name="spec">In YAML's flow style, without its braces.</param>
    public static async Task<AppUnderTest> CreateAsync(ServerFixture server, string spec = "image: 'web:v1', replicas: 3")
    {
        var app = new AppUnderTest(server, await server.NamespaceAsync());
        await app.ApplyAsync(spec);
        return app;
    }

    public Task<Command> OrcAsync(params string[] arguments) => server.OrcAsync([.. arguments, "-n", space]);

    public async Task<string> OkAsync(params string[] arguments) => (await OrcAsync(arguments)).OrThrow().Output;

    public async Task ApplyAsync(string spec, string name = "web") => (await server.OrcAsync(["apply", "-f", "-", "-n", space], Manifest(spec, name))).OrThrow();

    public Task<Command> ApplyAndWaitAsync(string spec, string timeout) =>
        server.OrcAsync(["apply", "-f", "-", "-n", space, "--wait", "--timeout", timeout], Manifest(spec));

    public async Task<JsonObject> ReadAsync() => JsonNode.Parse(await OkAsync("get", "wa", "web", "-o", "json"))!.AsObject();

    public async Task<JsonNode> SpecAsync() => (await ReadAsync())["spec"]!;

    public async Task<string> RevisionAsync() => RevisionHash.Of(Typed(await ReadAsync()).Spec);

    /// <summary>Keeps the present template, as the controller does when it is first wanted.</summary>
    /// <param name="owner">Another app that controls it; this one by default.</param>
    /// <param name="contentHash">Of what its references held.</param>
    /// <returns>Its revision.</returns>
    public async Task<string> KeepAsync(long number, string? owner = null, string? contentHash = null)
    {
        var app = Typed(await ReadAsync());
        var template = app.Spec.ToTemplate(contentHash);
        var hash = RevisionHash.Of(template);
        var controller = owner is null ? app : Typed(JsonNode.Parse(await OkAsync("get", "wa", owner, "-o", "json"))!.AsObject());
        var kept = new JsonObject
        {
            ["apiVersion"] = "apps/v1",
            ["kind"] = "ControllerRevision",
            ["metadata"] = new JsonObject
            {
                ["name"] = $"web-{hash}",
                ["labels"] = new JsonObject { [Labels.App] = "web", [Labels.Revision] = hash },
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = ApiGroup.GroupVersion, ["kind"] = WebApp.KubeKind, ["name"] = controller.Metadata.Name, ["uid"] = controller.Metadata.Uid, ["controller"] = true,
                }),
            },
            ["data"] = new JsonObject { ["spec"] = JsonNode.Parse(KubernetesJson.Serialize(template)) },
            ["revision"] = number,
        };
        (await server.KubectlAsync(["create", "-f", "-", "-n", space], kept.ToJsonString())).OrThrow();
        return hash;
    }

    /// <summary>Writes a status of the present generation; what it does not name stays.</summary>
    /// <param name="status">A merge patch.</param>
    public async Task ObserveAsync(JsonObject status)
    {
        status["observedGeneration"] = (long?)(await ReadAsync())["metadata"]!["generation"];
        await PatchStatusAsync("wa", "web", status);
    }

    public async Task PatchStatusAsync(string kind, string name, JsonObject status)
    {
        var patch = new JsonObject { ["status"] = status.DeepClone() };
        (await server.KubectlAsync(["patch", kind, name, "-n", space, "--subresource=status", "--type=merge", "-p", patch.ToJsonString()])).OrThrow();
    }

    /// <summary>The status of an app all of whose replicas run a revision.</summary>
    public static JsonObject Complete(string revision, int replicas = 3) => new()
    {
        ["replicas"] = replicas,
        ["readyReplicas"] = replicas,
        ["updatedReplicas"] = replicas,
        ["currentRevision"] = revision,
        ["updateRevision"] = revision,
        ["failedRollout"] = null,
        ["conditions"] = new JsonArray(Condition("Available", true, "MinimumReplicasAvailable", ""), Condition("Progressing", true, "NewReplicasAvailable", "")),
    };

    /// <summary>The status of an app whose canary has come to a step and its share.</summary>
    public static JsonObject Canary(string stable, string tried, int step, string reason, string message)
    {
        var status = Complete(stable);
        status["updateRevision"] = tried;
        status["replicas"] = 4;
        status["updatedReplicas"] = 1;
        status["rollout"] = new JsonObject { ["canary"] = new JsonObject { ["revision"] = tried, ["step"] = step, ["weight"] = 10 } };
        status["conditions"] = new JsonArray(Condition("Available", true, "MinimumReplicasAvailable", ""), Condition("Progressing", true, reason, message));
        return status;
    }

    /// <summary>The status after a rollout was taken back: complete by its counts.</summary>
    public static JsonObject RolledBack(string stable, string failed)
    {
        var status = Complete(stable);
        status["updateRevision"] = failed;
        status["updatedReplicas"] = 0;
        status["failedRollout"] = new JsonObject { ["revision"] = failed, ["reason"] = "CrashLoopBackOff", ["message"] = "exit code 3: no database" };
        status["conditions"] = new JsonArray(Condition("Available", true, "MinimumReplicasAvailable", ""), Condition("Progressing", false, "RolledBack", "no database"));
        return status;
    }

    public static JsonObject Condition(string type, bool holds, string reason, string message) => new()
    {
        ["type"] = type, ["status"] = holds ? "True" : "False", ["reason"] = reason, ["message"] = message, ["lastTransitionTime"] = "2026-01-01T00:00:00Z",
    };

    private static WebApp Typed(JsonObject app) => KubernetesJson.Deserialize<WebApp>(app.ToJsonString());

    private static string Manifest(string spec, string name = "web") => $"{{apiVersion: orchestrator.dev/v1, kind: WebApp, metadata: {{name: {name}}}, spec: {{{spec}}}}}";
}
