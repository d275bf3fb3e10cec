using System.Text;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Manifests;

public sealed class ManifestReaderTests
{
    private const string App = "apiVersion: v1\nkind: A\nmetadata: {name: a}\n";

    [Fact]
    public void A_bad_document_does_not_hide_the_ones_after_it()
    {
        var found = Read($"{App}---\na: [\n---\n\n# a comment\n{App}---\n---\na:\n\tb: 1\n");

        Assert.Equal(
            ["f:1 a", "f:6 (document 2) bad YAML", "f:9 (document 3) a", "f:15 (document 4) bad YAML"],
            found.Select(one => $"{one.Place} {one.Content?["metadata"]?["name"]}{one.Error?[..8]}"));
        Assert.Contains("tab", found[3].Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind: A\nmetadata: {name: a}", "apiVersion is missing")]
    [InlineData("apiVersion: v1\nmetadata: {name: a}", "kind is missing")]
    [InlineData("apiVersion: v1\nkind: A", "metadata is missing")]
    [InlineData("apiVersion: v1\nkind: A\nmetadata: {}", "metadata.name is missing")]
    [InlineData("apiVersion: v1\nkind: A\nmetadata: {generateName: a-}", "generateName")]
    [InlineData("apiVersion: v1\nkind: A\nmetadata: {name: a, annotations: [x]}", "annotations must be a map")]
    [InlineData("apiVersion: v1\nkind: A\nmetadata: {name: ..}", "\"..\" is no name")]
    [InlineData("apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: .}", "\".\" is no name")]
    [InlineData("apiVersion: v1\nkind: List\nmetadata: hello\nitems: [1]", "an item of the list is no object")]
    [InlineData("{\"apiVersion\": \"v1\", \"kind\": \"A\", \"metadata\": {\"name\": \"a\"}, \"a\": [{\"b\": -1e999}]}", "-1e999 is too large")]
    [InlineData("[1, 2]", "a manifest is a map")]
    [InlineData("just text", "a manifest is a map")]
    public void What_is_no_object_is_told(string text, string error) =>
        Assert.Contains(error, Assert.Single(Read(text)).Error, StringComparison.Ordinal);

    [Fact]
    public void Lists_are_taken_apart() => Assert.Equal(
        ["a", "b"],
        Read("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n- {apiVersion: v1, kind: A, metadata: {name: b}}")
            .Select(one => one.Name));

    [Theory]
    [InlineData("{\"apiVersion\": \"v1\", \"kind\": \"A\", \"metadata\": {\"name\": \"a\"}}")]
    [InlineData("{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"A\",\n\t\"metadata\": {\"name\": \"a\"}\n}")]
    [InlineData("{apiVersion: v1, kind: A, metadata: {name: a}}")]
    [InlineData("%YAML 1.1\n---\n" + App)]
    [InlineData("---\n" + App + "...\n")]
    [InlineData("--- {apiVersion: v1, kind: A, metadata: {name: a}}\n")]
    [InlineData("\n\n# only comments\n---\n" + App)]
    public void Json_directives_and_markers_are_understood(string text) => Assert.Equal("a", Assert.Single(Read(text)).Name);

    [Fact]
    public void A_key_twice_is_told_in_json_too() =>
        Assert.Contains("is there twice", Assert.Single(Read("{\"apiVersion\": \"v1\", \"kind\": \"A\", \"kind\": \"B\"}")).Error, StringComparison.Ordinal);

    [Fact]
    public void A_folder_is_read_in_order_and_with_its_folders_only_when_asked()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["sub"]);
        File.WriteAllText(folder["b.yaml"], App.Replace("name: a", "name: b", StringComparison.Ordinal));
        File.WriteAllText(folder["a.yml"], App);
        File.WriteAllText(folder["notes.txt"], "no manifest");
        File.WriteAllText(folder["sub/c.json"], """{"apiVersion":"v1","kind":"A","metadata":{"name":"c"}}""");

        Assert.Equal(["a", "b"], Names(recursive: false));
        Assert.Equal(["a", "b", "c"], Names(recursive: true));

        IEnumerable<string> Names(bool recursive) => ManifestReader.Read([folder.Path], recursive, NoInput).Select(one => one.Name);
    }

    [Fact]
    public void Standard_input_is_read_for_a_dash() =>
        Assert.Equal("standard input:1", ManifestReader.Read(["-"], false, () => new MemoryStream(Encoding.UTF8.GetBytes(App))).Single().Place);

    [Fact]
    public void What_is_not_there_or_no_text_ends_the_command()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder["binary.yaml"], [0xff, 0xfe, 0x80]);

        Assert.Equal(ExitCodes.Usage, Failure([folder["none.yaml"]]).ExitCode);
        Assert.Contains("no .yaml", Failure([Directory.CreateDirectory(folder["empty"]).FullName]).Message, StringComparison.Ordinal);
        Assert.Contains("not UTF-8", Failure([folder["binary.yaml"]]).Message, StringComparison.Ordinal);
        Assert.Contains("larger than", Assert.Throws<CommandException>(() => ManifestReader.Read(["-"], false, () => new EndlessStream()).Count()).Message, StringComparison.Ordinal);
    }

    private static List<Manifest> Read(string text) => [.. ManifestReader.ReadText("f", text)];

    private static CommandException Failure(string[] sources) =>
        Assert.Throws<CommandException>(() => ManifestReader.Read(sources, false, NoInput).Count());

    private static Stream NoInput() => Stream.Null;

    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)'#');
            return buffer.Length;
        }
    }
}
