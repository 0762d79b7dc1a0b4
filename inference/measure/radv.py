"""Mesa's RADV as a compiler: SPIR-V in, what the shader needs of the card out. The only file that imports vulkan."""

import struct
from collections import defaultdict

import vulkan as vk

STATISTICS = {
    "registers": "VGPRs",
    "spilled": "Spilled VGPRs",
    "scratch": "Scratch size",
    "shared": "LDS size",
    "waves": "Subgroups per SIMD",
    "instructions": "Code size",
}
"""What RADV calls them."""
EXTENSION = "VK_KHR_pipeline_executable_properties"
NAME, DECORATE, VARIABLE = 15, 71, 59  # opcodes: OpEntryPoint, OpDecorate, OpVariable
BINDING, UNIFORM = 33, 2


class Radv:
    """A device of RADV's, on whatever card RADV takes to be there."""

    def __init__(self) -> None:
        application = vk.VkApplicationInfo(apiVersion=vk.VK_MAKE_VERSION(1, 3, 0))
        self.instance = vk.vkCreateInstance(vk.VkInstanceCreateInfo(pApplicationInfo=application), None)
        devices = {
            vk.vkGetPhysicalDeviceProperties(each).deviceName: each
            for each in vk.vkEnumeratePhysicalDevices(self.instance)
        }
        [physical] = [each for name, each in devices.items() if "RADV" in name]
        executables = vk.VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR(pipelineExecutableInfo=1)
        features = vk.VkPhysicalDeviceVulkan13Features(pNext=executables, shaderIntegerDotProduct=1)
        features = vk.VkPhysicalDeviceVulkan12Features(pNext=features, vulkanMemoryModel=1)
        queue = vk.VkDeviceQueueCreateInfo(queueFamilyIndex=0, pQueuePriorities=[1.0])
        self.device = vk.vkCreateDevice(
            physical,
            vk.VkDeviceCreateInfo(
                pNext=features,
                pQueueCreateInfos=[queue],
                ppEnabledExtensionNames=[EXTENSION],
                pEnabledFeatures=vk.VkPhysicalDeviceFeatures(robustBufferAccess=1),
            ),
            None,
        )
        self.read = vk.vkGetDeviceProcAddr(self.device, "vkGetPipelineExecutableStatisticsKHR")

    def statistics(self, code: bytes) -> dict[str, int]:
        """Of the one entry point of a module, by the names of ``STATISTICS``."""
        entry, bindings = interface(code)
        layout = vk.vkCreateDescriptorSetLayout(
            self.device,
            vk.VkDescriptorSetLayoutCreateInfo(
                pBindings=[
                    vk.VkDescriptorSetLayoutBinding(
                        binding=binding,
                        descriptorType=vk.VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER
                        if uniform
                        else vk.VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                        descriptorCount=1,
                        stageFlags=vk.VK_SHADER_STAGE_COMPUTE_BIT,
                    )
                    for binding, uniform in sorted(bindings.items())
                ]
            ),
            None,
        )
        module = vk.vkCreateShaderModule(self.device, vk.VkShaderModuleCreateInfo(codeSize=len(code), pCode=code), None)
        stage = vk.VkPipelineShaderStageCreateInfo(stage=vk.VK_SHADER_STAGE_COMPUTE_BIT, module=module, pName=entry)
        pipeline_layout = vk.vkCreatePipelineLayout(
            self.device, vk.VkPipelineLayoutCreateInfo(pSetLayouts=[layout]), None
        )
        flags = vk.VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR
        created = vk.VkComputePipelineCreateInfo(flags=flags, stage=stage, layout=pipeline_layout)
        [pipeline] = vk.vkCreateComputePipelines(self.device, None, 1, [created], None)
        shown = self.read(self.device, vk.VkPipelineExecutableInfoKHR(pipeline=pipeline, executableIndex=0))
        values = {
            each.name if isinstance(each.name, str) else vk.ffi.string(each.name).decode(): int(each.value.u64)
            for each in shown
        }
        return {name: values[said] for name, said in STATISTICS.items()}


def interface(code: bytes) -> tuple[str, dict[int, bool]]:
    """A module's entry point, and by binding whether it is a uniform buffer."""
    words = struct.unpack(f"<{len(code) // 4}I", code)
    entry, bindings, classes, at = "", dict[int, int](), defaultdict[int, int](int), 5
    while at < len(words):
        opcode, length = words[at] & 0xFFFF, words[at] >> 16
        if opcode == NAME:
            entry = struct.pack(f"<{length - 3}I", *words[at + 3 : at + length]).partition(b"\0")[0].decode()
        elif opcode == DECORATE and words[at + 2] == BINDING:
            bindings[words[at + 1]] = words[at + 3]
        elif opcode == VARIABLE:
            classes[words[at + 2]] = words[at + 3]
        at += length
    return entry, {binding: classes[variable] == UNIFORM for variable, binding in bindings.items()}
