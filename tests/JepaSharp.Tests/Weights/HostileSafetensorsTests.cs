using System.Text;
using JepaSharp.Weights;

namespace JepaSharp.Tests.Weights;

/// <summary>Safetensors files from a stranger: refused with the reason, quickly and with little memory.</summary>
public sealed class HostileSafetensorsTests : IDisposable
{
    private const string Sound = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    private static readonly Dictionary<string, (Func<byte[]> File, string Reason)> Cases = new()
    {
        ["nothing"] = (() => [], "0 bytes"),
        ["seven bytes"] = (() => new byte[7], "7 bytes"),
        ["header of 10 GB"] = (() => [.. BitConverter.GetBytes(10_000_000_000), .. Encoding.UTF8.GetBytes(Sound)], "10000000000"),
        ["header of 2^64 - 1"] = (() => [.. Enumerable.Repeat((byte)255, 8), .. Encoding.UTF8.GetBytes(Sound)], "18446744073709551615"),
        ["header longer than the file"] = (() => [.. BitConverter.GetBytes(1000L), .. Encoding.UTF8.GetBytes(Sound)], "cut short"),
        ["empty header"] = (() => CraftedFile.Safetensors(""), "not the JSON"),
        ["not JSON"] = (() => CraftedFile.Safetensors("{a"), "not the JSON"),
        ["an array"] = (() => CraftedFile.Safetensors("[]"), "not the JSON"),
        ["two objects"] = (() => CraftedFile.Safetensors("{}{}"), "not the JSON"),
        ["a comment"] = (() => CraftedFile.Safetensors("{/**/}"), "not the JSON"),
        ["nesting without end"] = (() => CraftedFile.Safetensors("""{"a":""" + new string('[', 1_000_000)), "not the JSON"),
        ["a name that is not UTF-8"] =
            (() => CraftedFile.Safetensors([(byte)'{', (byte)'"', 0xff, (byte)'"', (byte)':', (byte)'1', (byte)'}']), "not the JSON"),
        ["half a surrogate pair"] = (() => CraftedFile.Safetensors("""{"\ud800":1}"""), "not the JSON"),
        ["a tensor that is a number"] = (() => CraftedFile.Safetensors("""{"a":1}"""), "StartObject"),
        ["metadata with a number"] = (() => CraftedFile.Safetensors("""{"__metadata__":{"a":1}}"""), "String"),
        ["metadata key twice"] = (() => CraftedFile.Safetensors("""{"__metadata__":{"a":"","a":""}}"""), "twice"),
        ["a name twice"] = (() => CraftedFile.Safetensors(Sound[..^1] + "," + Sound[1..], 8), "'a' twice"),
        ["a name twice, once escaped"] =
            (() => CraftedFile.Safetensors(Sound[..^1] + "," + Sound[1..].Replace("\"a\"", "\"\\u0061\""), 8), "'a' twice"),
        ["dtype twice"] = (() => CraftedFile.Safetensors(Sound.Replace("\"shape\"", "\"dtype\":\"F32\",\"shape\""), 8), "'dtype'"),
        ["an unknown field"] = (() => CraftedFile.Safetensors(Sound.Replace("\"shape\"", "\"run\":\"rm\",\"shape\""), 8), "'run'"),
        ["no shape"] = (() => CraftedFile.Safetensors("""{"a":{"dtype":"F32","data_offsets":[0,4]}}""", 4), "without all of"),
        ["an unknown dtype"] = (() => CraftedFile.Safetensors(Sound.Replace("F32", "F8_E4M3"), 8), "F8_E4M3"),
        ["a negative size"] = (() => CraftedFile.Safetensors(Sound.Replace("[2]", "[-2]"), 8), "shape of 'a'"),
        ["a broken size"] = (() => CraftedFile.Safetensors(Sound.Replace("[2]", "[2.5]"), 8), "shape of 'a'"),
        ["a size of 2^64"] = (() => CraftedFile.Safetensors(Sound.Replace("[2]", "[18446744073709551616]"), 8), "shape of 'a'"),
        ["a product over 2^64"] = (() => CraftedFile.Safetensors(Sound.Replace("[2]", "[4294967296,4294967296,2]"), 8), "4294967296"),
        ["a thousand dimensions"] =
            (() => CraftedFile.Safetensors(Sound.Replace("[2]", $"[{string.Join(',', Enumerable.Repeat(1, 1000))}]"), 8), "more than 32"),
        ["too few bytes for the shape"] = (() => CraftedFile.Safetensors(Sound.Replace("[2]", "[3]"), 8), "12"),
        ["offsets in the wrong order"] = (() => CraftedFile.Safetensors(Sound.Replace("[0,8]", "[8,0]"), 8), "in this order"),
        ["three offsets"] = (() => CraftedFile.Safetensors(Sound.Replace("[0,8]", "[0,8,8]"), 8), "[0, 8, 8]"),
        ["an offset of 2^63"] = (() => CraftedFile.Safetensors(Sound.Replace("[0,8]", "[0,9223372036854775808]"), 8), "data_offsets of 'a'"),
        ["offsets near 2^63"] =
            (() => CraftedFile.Safetensors(Sound.Replace("[0,8]", "[9223372036854775799,9223372036854775807]"), 8), "leaves a hole"),
        ["a tensor beyond the end"] = (() => CraftedFile.Safetensors(Sound, 7), "cut short"),
        ["bytes after the last tensor"] = (() => CraftedFile.Safetensors(Sound, 9), "something was added"),
        ["a hole before the first"] = (() => CraftedFile.Safetensors(Sound.Replace("[0,8]", "[4,12]"), 12), "leaves a hole after the header"),
        ["overlap"] =
            (() => CraftedFile.Safetensors(Sound[..^1] + ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12), "overlaps 'a'"),
        ["the same bytes twice"] = (() => CraftedFile.Safetensors(Sound[..^1] + "," + Sound[1..].Replace("\"a\"", "\"b\""), 8), "overlaps 'a'"),
        ["a million tensors"] = (() => CraftedFile.Safetensors(Many(1_000_000)), "more than 100000 tensors"),
        ["99 MB of spaces"] = (() => CraftedFile.Safetensors("{" + new string(' ', 99_000_000)), "not the JSON"),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. Cases.Keys];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_TheSoundFileThatTheCasesSpoil_Works()
    {
        File.WriteAllBytes(_folder["x.safetensors"], CraftedFile.Safetensors(Sound, 8));
        using var file = SafetensorsFile.Open(_folder["x.safetensors"]);
        Assert.Equal([2], file.Tensors["a"].Shape);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Open_HostileFile_IsRefusedWithTheReasonQuicklyAndCheaply(string name)
    {
        var (make, reason) = Cases[name];
        File.WriteAllBytes(_folder["x.safetensors"], make());
        Refusal.Check(() => PretrainedWeights.Open(_folder["x.safetensors"]).Dispose(), _folder["x.safetensors"], reason);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../x.safetensors"}}""", "in the same folder")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "in the same folder")]
    [InlineData("""{"weight_map":{"a":".."}}""", "in the same folder")]
    [InlineData("""{"weight_map":{"a":"missing.safetensors"}}""", "no such file")]
    [InlineData("""{"weight_map":{"b":"x.safetensors"}}""", "none named 'b'")]
    [InlineData("""{"weight_map":{"a":"x.safetensors","a":"x.safetensors"}}""", "twice")]
    [InlineData("""{"weight_map":{"a":1}}""", "not a file name")]
    [InlineData("""{"weight_map":[]}""", "weight_map")]
    [InlineData("[]", "not an object")]
    [InlineData("""{"weight_map":{"\ud800":"x.safetensors"}}""", "not JSON")]
    [InlineData("{", "not JSON")]
    public void Open_HostileIndex_IsRefusedWithTheReason(string index, string reason)
    {
        File.WriteAllBytes(_folder["x.safetensors"], CraftedFile.Safetensors(Sound, 8));
        File.WriteAllText(_folder["model.safetensors.index.json"], index);
        Assert.Contains(reason, Assert.Throws<WeightsFileException>(() => PretrainedWeights.Open(_folder.Path).Dispose()).Message);
    }

    private static string Many(int count)
    {
        var header = new StringBuilder("{");
        for (var i = 0; i < count; i++) header.Append($"\"{i}\":{{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[{i},{i + 1}]}},");
        return header.Append("\"\":{}}").ToString();
    }
}
