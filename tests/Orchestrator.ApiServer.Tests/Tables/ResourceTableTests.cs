using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Resources;
using Orchestrator.ApiServer.Tables;
using Orchestrator.ApiServer.Tests.Schema;

namespace Orchestrator.ApiServer.Tests.Tables;

public sealed class ResourceTableTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.Parse("2026-01-01T00:05:07Z", CultureInfo.InvariantCulture);
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const string Created = "creationTimestamp: \"2026-01-01T00:00:00Z\"";

    [Theory]
    [InlineData(
        "WebApp",
        "{metadata: {name: web, " + Created + "}, spec: {replicas: 3, image: nginx, route: {hosts: [a.org, b.org], path: /, port: 8443, protocol: h2c}}, "
        + "status: {desiredReplicas: 3, readyReplicas: 2, updatedReplicas: 3, conditions: [{type: Progressing, status: 'True'}, {type: Available, status: 'False', reason: NotReady}]}}",
        """["web",3,2,3,"False","NotReady","nginx","[\"a.org\",\"b.org\"]","/",8443,"h2c","5m7s"]""")]
    [InlineData("WebApp", "{metadata: {name: new, " + Created + "}, spec: {replicas: 1, image: nginx}}", """["new",null,null,null,null,null,"nginx",null,null,null,null,"5m7s"]""")]
    [InlineData(
        "Replica",
        "{metadata: {name: r, " + Created + "}, spec: {appName: web, revision: abc, hostName: h1}, status: {phase: Running, ready: true, restarts: 2, address: 10.0.0.1, port: 20000}}",
        """["r","web","h1","Running",true,2,null,"5m7s","10.0.0.1",20000,"abc",null]""")]
    [InlineData(
        "DockerHost",
        "{metadata: {name: h, " + Created + "}, spec: {endpoint: 'tcp://h:1'}, status: {capacity: {cpu: 4, memory: 8Gi}, conditions: [{type: Ready, status: 'True', reason: Answers}]}}",
        """["h","True",null,null,null,"4","8Gi",null,"5m7s","tcp://h:1","Answers"]""")]
    [InlineData("Namespace", "{metadata: {name: ns, " + Created + "}, status: {phase: Active}}", """["ns","Active","5m7s"]""")]
    [InlineData("Namespace", "{metadata: {name: ns}}", """["ns","","<unknown>"]""")]
    [InlineData("Secret", "{metadata: {name: s, " + Created + "}, type: Opaque, data: {a: YQ==, b: YQ==}}", """["s","Opaque",2,"5m7s"]""")]
    [InlineData("ConfigMap", "{metadata: {name: c, " + Created + "}, data: {a: x}, binaryData: {b: YQ==}}", """["c",2,"5m7s"]""")]
    [InlineData("Lease", "{metadata: {name: l, " + Created + "}, spec: {holderIdentity: me}}", """["l","me","5m7s"]""")]
    [InlineData(
        "ControllerRevision",
        "{metadata: {name: c, " + Created + ", ownerReferences: [{kind: A, name: a}, {apiVersion: orchestrator.dev/v1, kind: WebApp, name: web, controller: true}]}, revision: 3}",
        """["c","webapp.orchestrator.dev/web","3","5m7s"]""")]
    [InlineData("ControllerRevision", "{metadata: {name: c}}", """["c","<none>","0","<unknown>"]""")]
    [InlineData("CustomResourceDefinition", "{metadata: {name: c, " + Created + "}}", """["c","2026-01-01T00:00:00Z"]""")]
    [InlineData(
        "Event",
        "{metadata: {name: e}, type: Normal, reason: Created, message: ' made it\n', involvedObject: {kind: WebApp, name: web}, source: {component: c, host: h}, "
        + "firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:05:00Z', count: 3}",
        """["7s","Normal","Created","webapp/web","","c, h","made it","5m7s",3,"e"]""")]
    [InlineData(
        "Event",
        "{metadata: {name: e}, type: Warning, reason: Failed, message: bad, involvedObject: {kind: Replica, name: r}, reportingComponent: c, "
        + "eventTime: '2026-01-01T00:00:00.123456Z', series: {count: 9, lastObservedTime: '2026-01-01T00:04:07Z'}}",
        """["60s","Warning","Failed","replica/r","","c","bad","5m6s",9,"e"]""")]
    public void Rows_are_what_kubernetes_prints(string kind, string resource, string cells)
    {
        var table = new ResourceTable(Crds.Find(kind)).RenderOne(Crds.Yaml(resource), Now);
        Assert.Equal(cells, table["rows"]![0]!["cells"]!.ToJsonString(Readable));
        Assert.Equal(table["columnDefinitions"]!.AsArray().Count, table["rows"]![0]!["cells"]!.AsArray().Count);
    }

    [Fact]
    public void Columns_say_their_type_and_when_they_are_shown()
    {
        var columns = new ResourceTable(Crds.Find("WebApp")).RenderOne(Crds.Yaml("{metadata: {name: web}}"), Now)["columnDefinitions"]!.AsArray();
        Assert.Equal(
            """{"name":"Name","type":"string","format":"name","description":"Name, unique among objects of the kind in the namespace.","priority":0}""",
            columns[0]!.ToJsonString());
        Assert.Equal(
            """{"name":"Image","type":"string","format":"","description":"Image.","priority":1}""", columns[6]!.ToJsonString());
    }

    [Fact]
    public void A_list_keeps_its_metadata_and_order()
    {
        var metadata = new JsonObject { ["resourceVersion"] = "7", ["continue"] = "token", ["remainingItemCount"] = 5 };
        var table = new ResourceTable(Crds.Find("Secret")).Render([Crds.Yaml("{metadata: {name: a}}"), Crds.Yaml("{metadata: {name: b}}")], metadata, Now);

        Assert.Equal(("Table", "meta.k8s.io/v1"), ((string?)table["kind"], (string?)table["apiVersion"]));
        Assert.True(JsonNode.DeepEquals(metadata, table["metadata"]));
        Assert.Equal(["a", "b"], table["rows"]!.AsArray().Select(row => (string?)row!["cells"]![0]));
    }

    [Theory]
    [InlineData(IncludeObject.Metadata, """{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1","metadata":{"name":"s","resourceVersion":"9"}}""")]
    [InlineData(IncludeObject.Object, """{"kind":"Secret","metadata":{"name":"s","resourceVersion":"9"},"type":"Opaque"}""")]
    [InlineData(IncludeObject.None, null)]
    public void A_row_carries_as_much_of_its_object_as_is_asked_for(IncludeObject include, string? expected)
    {
        var secret = Crds.Yaml("{kind: Secret, metadata: {name: s, resourceVersion: '9'}, type: Opaque}");
        var table = new ResourceTable(Crds.Find("Secret")).RenderOne(secret, Now, "v1beta1", include, withColumns: false);

        Assert.Null(table["columnDefinitions"]);
        Assert.Equal("9", (string?)table["metadata"]!["resourceVersion"]);
        Assert.Equal(expected, table["rows"]![0]!["object"]?.ToJsonString());
    }

    [Theory]
    [InlineData(null, IncludeObject.Metadata)]
    [InlineData("Object", IncludeObject.Object)]
    [InlineData("None", IncludeObject.None)]
    [InlineData("Some", null)]
    public void What_to_include_is_one_of_three(string? text, IncludeObject? expected) => Assert.Equal(expected, ResourceTable.ParseIncludeObject(text));

    [Fact]
    public void A_custom_kind_without_columns_shows_its_age()
    {
        var plain = Crds.Find("WebApp") with { PrinterColumns = [] };
        var table = new ResourceTable(plain).RenderOne(Crds.Yaml("{metadata: {name: web, " + Created + "}}"), Now);
        Assert.Equal("""["web","5m7s"]""", table["rows"]![0]!["cells"]!.ToJsonString());
    }

    [Fact]
    public void A_column_whose_path_is_none_is_refused() =>
        Assert.Throws<FormatException>(() => new ResourceTable(
            Crds.Find("WebApp") with { PrinterColumns = [new PrinterColumn("Bad", "string", "", ".a..b", "", 0)] }));

    [Fact]
    public void Partial_metadata_is_the_metadata_alone()
    {
        var list = PartialMetadata.ListOf([Crds.Yaml("{kind: Secret, metadata: {name: s}, data: {a: YQ==}}")], new JsonObject { ["resourceVersion"] = "3" }, "v1");
        Assert.Equal(
            """{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"3"},"items":[{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"s"}}]}""",
            list.ToJsonString());
    }
}
