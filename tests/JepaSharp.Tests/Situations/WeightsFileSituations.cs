using JepaSharp.Tests.BadInput;
using JepaSharp.Tests.Weights;

namespace JepaSharp.Tests.Situations;

/// <summary>Something else in place of weights, or weights under other names: the message says what it is and what to do.</summary>
[Collection(Lanes.Commands)]
public sealed class WeightsFileSituations : SituationTests
{
    private const string Pointer =
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    private const string Page = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n";
    private const string Lfs = "found a git-lfs pointer, not the file itself; expected weights: fetch it with git lfs pull.";

    private static readonly Situation[] Table =
    [
        new("a git-lfs pointer for safetensors", "jepa inspect model.safetensors", 2, Lfs) { Build = Photos.Text("model.safetensors", Pointer) },
        new("a git-lfs pointer for a checkpoint", "jepa inspect model.pth.tar", 2, Lfs) { Build = Photos.Text("model.pth.tar", Pointer) },
        new("a git-lfs pointer in a Hugging Face folder", "jepa inspect hf", 2, "model.safetensors: " + Lfs) { Build = Photos.Text(
            "hf/model.safetensors", Pointer) },
        new("a web page for a checkpoint", "jepa inspect model.pth", 2,
            "found a web page, not the file itself; expected weights: download the file again") { Build = Photos.Text("model.pth", Page) },
        new("a web page for safetensors", "jepa inspect model.safetensors", 2,
            "found a web page, not the file itself") { Build = Photos.Text("model.safetensors", "\n  " + Page), Never = ["header length"] },
        new("a server's refusal for safetensors", "jepa inspect model.safetensors", 2,
            "found text that begins with \"{\"error\":\"Access to model is", "expected weights: fetch the file itself again")
        {
            Build = Photos.Text("model.safetensors", "{\"error\":\"Access to model is restricted\"}"),
        },
        new("a checkpoint compressed with gzip", "jepa inspect model.pth", 2, "found compressed with gzip",
            "unpack it with gunzip") { Build = Photos.File1("model.pth", [0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 0, 3]) },
        new("a 7z archive for weights", "jepa inspect model.pth", 2,
            "found a 7z archive; expected weights: unpack it (7z x) and give what is in it") { Build =
                Photos.File1("model.pth", [.. "7z"u8, 0xbc, 0xaf, 0x27, 0x1c, .. new byte[40]]) },
        new("a zip archive of a model", "jepa inspect model.pth", 2, "if weights are packed in it, unpack it (unzip)") { Build = Photos.File1(
            "model.pth", CraftedFile.Zip([("model/weights.safetensors", new byte[40])])) },
        new("weights that are all zeros", "jepa inspect model.pth", 2,
            "found nothing but zeros, as a copy or a download that broke off leaves them") { Build = Photos.File1("model.pth", new byte[4096]) },
        new("weights that are empty", "jepa inspect model.pth", 2, "found an empty file") { Build = Photos.File1("model.pth", []) },
        new("weights that are a picture", "jepa inspect model.pth", 2, "found a PNG picture") { Build = Photos.File1("model.pth", Photos.Png) },
        new("weights that are a link to nothing", "jepa inspect model.pth", 2, "it is a link to nowhere.pth, which is not there")
        {
            Build = folder => File.CreateSymbolicLink(Path.Combine(folder, "model.pth"), "nowhere.pth"),
        },
        new("weights of PyTorch Lightning", "jepa inspect model.ckpt", 2,
            "found weights whose names begin with 'model.', as PyTorch Lightning writes them; expected names without it",
            "w = torch.load('OLD', map_location='cpu')['state_dict']; torch.save({k[6:]: v for k, v in w.items() if k.startswith('model.')}, "
                + "'NEW.pth')")
        {
            Build = Photos.File1("model.ckpt", Checkpoint("state_dict", "model.target_encoder.patch_embed.proj.weight", "hyper_parameters")),
        },
        new("weights of DINO", "jepa inspect dino.pth", 2, "begin with 'module.backbone.', as DINO and programs after it write them", "['teacher']",
            "k.startswith('module.backbone.')")
        {
            Build = Photos.File1("dino.pth", Checkpoint("teacher", "module.backbone.patch_embed.proj.weight", "args")),
        },
        new("safetensors under other names", "jepa inspect m.safetensors", 2, "begin with 'backbone.'", "from safetensors.torch import load_file")
        {
            Build = Photos.File1("m.safetensors", CraftedFile.Safetensors(
                "{\"backbone.patch_embed.proj.weight\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1],\"data_offsets\":[0,4]}}", 4)),
        },
        new("safetensors of a network with a class token, under other names", "jepa inspect m.safetensors", 2, "begin with 'backbone.'")
        {
            Build = Photos.File1("m.safetensors", CraftedFile.Safetensors(
                "{\"backbone.patch_embed.proj.weight\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1],\"data_offsets\":[0,4]},\"backbone.cls_token\":{\"dtyp"
                    + "e\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[4,8]}}", 8)),
        },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void WeightsFile_Command_DoesWhatIsMeant(string name) => Run(Table.Single(s => s.Name == name));

    /// <summary>A dictionary with one tensor in a dictionary, and an empty dictionary beside it.</summary>
    private static byte[] Checkpoint(string key, string name, string beside) => CraftedFile.Checkpoint(CraftedFile.Pickle(
        "}(", CraftedFile.Text(key), "}", CraftedFile.Text(name), CraftedFile.Tensor(CraftedFile.Storage(4), 0, [1, 1, 2, 2], [4, 4, 2, 1]), "s",
        CraftedFile.Text(beside), "}u."));
}
