using System.Text.Json;
using JepaSharp.Data;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Tests.Data;

/// <summary>Photographs and what Pillow and torchvision make of them.</summary>
internal sealed class RecordedPhotos(string recording) : IDisposable
{
    private readonly SafetensorsFile _recorded = SafetensorsFile.Open(RecordedFolders.PathOf(recording, "expected.safetensors"));

    /// <summary>Every recording, with the number of each of its photographs.</summary>
    public static IEnumerable<TheoryDataRow<string, int>> All => RecordedFolders.Of(
        ["preprocess"], null, recording => Enumerable.Range(0, RecordedFolders.FactsOf(recording).GetProperty("photos").GetArrayLength()));

    public JsonElement Expected { get; } = RecordedFolders.FactsOf(recording);

    public string PathOf(int photo) => RecordedFolders.PathOf(recording, Expected.GetProperty("photos")[photo].GetProperty("file").GetString()!);

    /// <summary>What is recorded of a photograph as bytes, without its number: "decoded".</summary>
    public IEnumerable<string> ImagesOf(int photo) =>
        _recorded.Tensors.Where(t => t.Value.Type == ScalarType.Byte && t.Key.StartsWith($"{photo}.", StringComparison.Ordinal)).Select(
            t => t.Key[(t.Key.IndexOf('.', StringComparison.Ordinal) + 1)..]);

    public PixelBox CropOf(int photo)
    {
        var crop = Expected.GetProperty("photos")[photo].GetProperty("crop");
        return new PixelBox(
            crop.GetProperty("left").GetInt32(), crop.GetProperty("top").GetInt32(), crop.GetProperty("width").GetInt32(),
            crop.GetProperty("height").GetInt32());
    }

    public RgbImage Image(string name)
    {
        var tensor = _recorded.Find(name);
        var pixels = new byte[tensor.ByteCount];
        tensor.CopyTo(pixels);
        return new RgbImage((int)tensor.Shape[1], (int)tensor.Shape[0], pixels);
    }

    public void Dispose() => _recorded.Dispose();

    public static (double Mean, int Largest) Difference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Assert.Equal(a.Length, b.Length);
        long sum = 0;
        var largest = 0;
        for (var i = 0; i < a.Length; i++)
        {
            var difference = Math.Abs(a[i] - b[i]);
            sum += difference;
            largest = Math.Max(largest, difference);
        }

        return ((double)sum / a.Length, largest);
    }
}
