using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Schema;

namespace Orchestrator.ApiServer.Tests.Schema;

/// <summary>
/// Golden cases in testdata: <c>input.yaml</c> is written (over <c>old.yaml</c>, if there is one); <c>expected.txt</c> says what is
/// unknown and what is wrong. A new case is a new folder.
/// </summary>
public sealed class ResourceSchemaTests
{
    private const string Area = "Schema";

    public static TheoryData<string> Cases => Golden.Cases(Area);

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_wrong_is_said_in_the_words_of_kubernetes(string name)
    {
        var input = Crds.Yaml(Golden.Read(Area, name, "input.yaml")!);
        var old = Golden.Read(Area, name, "old.yaml") is { } before ? Crds.Yaml(before) : null;
        var schema = new ResourceSchema(Crds.Find((string)input["kind"]!));
        if (old is not null)
        {
            schema.Default(old);
        }

        var unknown = schema.Prune(input);
        schema.Default(input);
        var lines = unknown.Select(path => $"unknown field \"{path}\"")
            .Concat(schema.Validate(input, old).Select(error => $"{error.Reason} {error}"));

        Golden.Check(Area, name, "expected.txt", string.Concat(lines.Select(line => line + "\n")));
    }

    [Theory]
    [InlineData("webapps.yaml")]
    [InlineData("replicas.yaml")]
    [InlineData("dockerhosts.yaml")]
    public void The_crds_are_themselves_without_fault(string file)
    {
        var crd = Crds.Yaml(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "crds", file)));
        var schema = new ResourceSchema(Crds.Find("CustomResourceDefinition"));
        Assert.Empty(schema.Prune(crd));
        schema.Default(crd);
        Assert.Empty(schema.Validate(crd));
    }

    [Fact]
    public void What_is_absent_gets_its_default_in_the_objects_that_are_there()
    {
        var app = Crds.Yaml(
            """
            kind: WebApp
            metadata: { name: web, creationTimestamp: null }
            spec:
              image: nginx
              replicas: null
              command: null
              readinessProbe: { httpGet: {} }
              route: {}
              placement: { tolerations: [{ key: a }], spread: [{ topologyKey: zone }] }
            """);
        new ResourceSchema(Crds.Find("WebApp")).Default(app);

        Assert.Equal(
            """{"name":"web"}""", app["metadata"]!.ToJsonString());
        Assert.Equal(
            Crds.Yaml(
                """
                image: nginx
                replicas: 1
                readinessProbe:
                  httpGet: { path: /, scheme: HTTP }
                  initialDelaySeconds: 0
                  periodSeconds: 10
                  timeoutSeconds: 1
                  successThreshold: 1
                  failureThreshold: 3
                route: { path: /, pathType: Prefix, balancing: PowerOfTwoChoices, protocol: http1 }
                placement:
                  tolerations: [{ key: a, operator: Equal }]
                  spread: [{ topologyKey: zone, maxSkew: 1, whenUnsatisfiable: ScheduleAnyway }]
                  rebalance: true
                port: 8080
                terminationGracePeriodSeconds: 30
                drainTimeoutSeconds: 30
                progressDeadlineSeconds: 600
                autoRollback: true
                revisionHistoryLimit: 10
                """).ToJsonString(),
            app["spec"]!.ToJsonString());
    }

    [Fact]
    public void A_fault_of_an_earlier_release_does_not_keep_the_status_from_being_written()
    {
        var schema = new ResourceSchema(Crds.Find("WebApp"));
        var app = Crds.Yaml("{kind: WebApp, metadata: {name: web}, spec: {image: nginx, readinessProbe: {}}}");
        schema.Default(app);
        Assert.Single(schema.Validate(app));

        var after = (JsonObject)app.DeepClone();
        after["status"] = new JsonObject { ["replicas"] = 1 };
        Assert.Empty(schema.Validate(after, app));
    }

    [Fact]
    public void The_text_of_a_secret_is_encoded_and_not_kept()
    {
        var secret = Crds.Yaml("{kind: Secret, metadata: {name: s}, data: {a: YQ==, b: YQ==}, stringData: {b: B, c: ü}}");
        var schema = new ResourceSchema(Crds.Find("Secret"));
        schema.Default(secret);

        Assert.Empty(schema.Validate(secret));
        Assert.Equal(
            """{"kind":"Secret","metadata":{"name":"s"},"data":{"a":"YQ==","b":"Qg==","c":"w7w="},"type":"Opaque"}""",
            secret.ToJsonString(new System.Text.Json.JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public void Answers_are_bounded_however_many_faults_there_are()
    {
        var app = Crds.Yaml("{kind: WebApp, metadata: {name: web}, spec: {image: nginx}}");
        app["spec"]!["command"] = new JsonArray([.. Enumerable.Range(0, 5000).Select(index => (JsonNode)index)]);
        Assert.Equal(FieldErrors.Capacity, new ResourceSchema(Crds.Find("WebApp")).Validate(app).Count);

        var long_ = Crds.Yaml("{kind: WebApp, metadata: {name: web}, spec: {image: nginx}}");
        long_["spec"]!["image"] = "Ä" + new string('x', 500);
        Assert.InRange(new ResourceSchema(Crds.Find("WebApp")).Validate(long_).ToString().Length, 1, 1000);
    }
}
