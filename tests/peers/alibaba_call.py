"""PyPI alibabacloud-iot-api-gateway: one signed call."""
from alibabacloud_iot_api_gateway import models
from alibabacloud_iot_api_gateway.client import Client
from alibabacloud_tea_util.models import RuntimeOptions

from peer import argument, finish

a = argument()
config = models.Config(domain=a["domain"], app_key=a["app_key"], app_secret=a["app_secret"], protocol="http")
request = models.CommonParams(api_ver=a["api_ver"], language="en-US", iot_token=a["iot_token"])
body = models.IoTApiRequest(params=a["params"], request=request)
response = Client(config).do_request(a["path"], "http", "POST", {}, body, RuntimeOptions())
text = response.body.decode() if isinstance(response.body, bytes) else response.body
finish({"status": response.status_code, "error": response.headers.get("x-ca-error-message"), "body": text})
