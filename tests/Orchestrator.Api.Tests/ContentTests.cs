using System.Text;
using k8s;
using Orchestrator.Api.Contents;
using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class ContentTests
{
    private static readonly WebAppSpec Spec = new()
    {
        Image = "web:v1",
        EnvFrom = [new EnvironmentSource { ConfigMapRef = new() { Name = "settings" } }],
        Files = [new FileMount { MountPath = "/etc/web", Secret = new() { Name = "keys" } }],
    };

    [Fact]
    public void A_revision_s_content_comes_back_from_its_secret_as_it_was()
    {
        var bytes = new byte[] { 0, 255, 10 };
        var content = new RevisionContent
        {
            Environment = new Dictionary<string, string> { ["B"] = "ü", ["A"] = "" },
            Files = [new(0, "a/b.bin", 0x100, bytes), new(1, "same", FileMount.StandardMode, bytes)],
        };

        var data = content.Encode();
        var back = RevisionContent.Decode(data);

        Assert.Equal(content.Environment, back.Environment);
        Assert.Equal(["0 a/b.bin 256", "1 same 420"], back.Files.Select(file => $"{file.Mount} {file.Path} {file.Mode}"));
        Assert.All(back.Files, file => Assert.Equal(bytes, file.Bytes));

        // The index, two texts, and what both files have once.
        Assert.Equal(4, data.Count);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("no json")]
    [InlineData("""{"env":{"A":"7"},"files":[]}""")]
    [InlineData("""{"env":{},"files":[{"mount":0}]}""")]
    [InlineData("""{"env":{},"files":[{"mount":0,"path":"../../x","mode":420,"key":"index"}]}""")]
    [InlineData("""{"env":{},"files":[{"mount":0,"path":"/x","mode":420,"key":"index"}]}""")]
    public void What_is_not_a_revision_s_content_is_told_without_its_values(string index)
    {
        var failure = Assert.Throws<FormatException>(() => RevisionContent.Decode(new Dictionary<string, byte[]> { ["index"] = Encoding.UTF8.GetBytes(index) }));

        Assert.Equal("it is not a revision's content as Orchestrator writes it", failure.Message);
    }

    [Fact]
    public void A_secret_without_data_is_no_revision_s_content() => Assert.Throws<FormatException>(() => RevisionContent.Decode(null));

    [Fact]
    public void Other_content_is_another_revision_and_an_app_has_none_of_its_own()
    {
        var (one, other) = (Spec.ToTemplate("aa"), Spec.ToTemplate("bb"));

        Assert.NotEqual(RevisionHash.Of(one), RevisionHash.Of(other));
        Assert.Equal(RevisionHash.Of(Spec), RevisionHash.Of(Spec.ToTemplate(contentHash: null)));
        Assert.DoesNotContain("contentHash", KubernetesJson.Serialize(Spec), StringComparison.Ordinal);
        Assert.Contains("contentHash", KubernetesJson.Serialize(one), StringComparison.Ordinal);
    }

    [Fact]
    public void A_content_stands_in_for_this_template_and_this_live_content_alone()
    {
        var standIn = ContentStandIn.Parse($"{RevisionHash.Of(Spec.ToTemplate("old"))}/old/live")!;
        var changed = new WebAppSpec { Image = "web:v2", EnvFrom = Spec.EnvFrom, Files = Spec.Files };

        Assert.True(standIn.Holds(Spec, "live"));
        Assert.False(standIn.Holds(Spec, "newer"));
        Assert.False(standIn.Holds(Spec, null));
        Assert.False(standIn.Holds(changed, "live"));
        Assert.Equal(standIn, ContentStandIn.Parse(standIn.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("/old/live")]
    [InlineData("a/b/c/d")]
    public void What_is_no_stand_in_is_none(string? annotation) => Assert.Null(ContentStandIn.Parse(annotation));

    [Fact]
    public void References_are_named_with_their_kind() =>
        Assert.Equal(["ConfigMap \"settings\"", "Secret \"keys\""], Spec.References.Select(reference => reference.Object.ToString()));
}
