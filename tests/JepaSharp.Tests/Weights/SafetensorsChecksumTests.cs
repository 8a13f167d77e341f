using System.Text;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Weights;

/// <summary>What a disk changes in a safetensors file of ours is noticed when it is read.</summary>
public sealed class SafetensorsChecksumTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _path;

    public SafetensorsChecksumTests()
    {
        _path = _folder["w.safetensors"];
        using var scope = NewDisposeScope();
        var b = arange(6, ScalarType.Float32).reshape(2, 3);
        SafetensorsWriter.Write(
            _path, [KeyValuePair.Create("b", b), KeyValuePair.Create("a", ones(4))], new Dictionary<string, string> { ["heads"] = "3" });
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensor_OfWhichOneBitChanged_IsRefusedAndTheOthersAreRead()
    {
        Change(bytes => bytes[^1] ^= 0x80); // the last number of 'a'
        using var file = SafetensorsFile.Open(_path);
        file.Read("b").Dispose();
        Assert.Contains("'a' that is not what was written", Assert.Throws<WeightsFileException>(() => file.Read("a")).Message);
        Assert.Contains("not what was written", Assert.Throws<WeightsFileException>(() => file.Find("a").Rows(0, 1).Read()).Message);
    }

    [Theory]
    [InlineData("\"heads\":\"3\"", "\"heads\":\"1\"")]
    [InlineData("[2,3]", "[3,2]")]
    [InlineData("\"a\":", "\"z\":")]
    public void Header_ThatChanged_IsRefusedWhenTheFileIsOpened(string from, string to)
    {
        Change(bytes => Encoding.UTF8.GetBytes(to).CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(from)))));
        Assert.Contains("a header that is not what was written", Assert.Throws<WeightsFileException>(() => SafetensorsFile.Open(_path)).Message);
    }

    [Fact]
    public void Tensors_ThatChangedPlaces_AreRefused()
    {
        SafetensorsWriter.Write(_path, [KeyValuePair.Create("b", zeros(4)), KeyValuePair.Create("a", ones(4))]);
        var text = Encoding.Latin1.GetString(File.ReadAllBytes(_path));
        text = text.Replace("[0,16]", "[X]", StringComparison.Ordinal).Replace("[16,32]", "[0,16]", StringComparison.Ordinal);
        text = text.Replace("[X]", "[16,32]", StringComparison.Ordinal);
        File.WriteAllBytes(_path, Encoding.Latin1.GetBytes(text));
        using var file = SafetensorsFile.Open(_path);
        Assert.Contains("not what was written", Assert.Throws<WeightsFileException>(() => file.Read("a")).Message);
    }

    [Fact]
    public void File_WithoutChecksums_StillOpens()
    {
        Change(bytes => "elsewhere_crc32c"u8.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf("jepasharp_crc32c"u8))));
        Change(bytes => bytes[^1] ^= 0x80);
        using var file = SafetensorsFile.Open(_path);
        file.Read("a").Dispose();
    }

    [Fact]
    public void Metadata_OfAFile_IsThatOfItsWriterAlone()
    {
        using var file = SafetensorsFile.Open(_path);
        Assert.Equal([KeyValuePair.Create("heads", "3")], file.Metadata);
    }

    private void Change(Action<byte[]> change)
    {
        var bytes = File.ReadAllBytes(_path);
        change(bytes);
        File.WriteAllBytes(_path, bytes);
    }
}
